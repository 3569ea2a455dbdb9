import { addDays, instantOf } from "../lib/calendar";
import { timeZone } from "../env";
import { ask, supabase } from "./client";
import type { Appointment, AppointmentStatus, Service, Staff } from "./types";

const FIELDS = `id, client_id, staff_id, service_id, starts_at, ends_at, status, price_cents, cancel_reason, source,
  client:clients(id, first_name, last_name), staff(id, full_name), service:services(id, name)`;

export async function listAppointments(firstDay: string, days: number): Promise<Appointment[]> {
  const from = instantOf({ day: firstDay, minutes: 0 }, timeZone).toISOString();
  const to = instantOf({ day: addDays(firstDay, days), minutes: 0 }, timeZone).toISOString();
  const query = supabase.from("appointments").select(FIELDS).gte("starts_at", from).lt("starts_at", to);
  return await ask(query.order("starts_at"));
}

export async function listClientAppointments(client: string): Promise<Appointment[]> {
  const query = supabase.from("appointments").select(FIELDS).eq("client_id", client);
  return await ask(query.order("starts_at", { ascending: false }).limit(5));
}

export async function listStaff(): Promise<Staff[]> {
  return await ask(supabase.from("staff").select("id, full_name, active").eq("active", true).order("created_at").order("full_name"));
}

export async function listServices(): Promise<Service[]> {
  return await ask(supabase.from("services").select("id, name, duration_min, price_cents, active").eq("active", true).order("name"));
}

export interface AppointmentDraft {
  client_id: string;
  staff_id: string;
  service_id: string;
  starts_at: string;
  ends_at: string;
  status: AppointmentStatus;
  price_cents: number;
}

export async function saveAppointment(id: string | null, draft: AppointmentDraft): Promise<void> {
  const table = supabase.from("appointments");
  await ask(id ? table.update(draft).eq("id", id) : table.insert(draft));
}

export async function moveAppointment(id: string, startsAt: Date, endsAt: Date): Promise<void> {
  const times = { starts_at: startsAt.toISOString(), ends_at: endsAt.toISOString() };
  await ask(supabase.from("appointments").update(times).eq("id", id));
}

export async function setAppointmentStatus(id: string, status: AppointmentStatus, reason: string | null): Promise<void> {
  await ask(supabase.from("appointments").update({ status, cancel_reason: reason }).eq("id", id));
}
