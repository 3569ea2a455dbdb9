import { useState } from "preact/hooks";
import { useQuery } from "../data/client";
import { listClientNames } from "../data/crm";
import { saveAppointment, setAppointmentStatus } from "../data/scheduling";
import type { Appointment, Service, Staff } from "../data/types";
import { timeZone } from "../env";
import { instantOf, parseTime, timeLabel, type Wall } from "../lib/calendar";
import { centsToInput, parseMoney } from "../lib/money";
import { fullName } from "../lib/names";
import { Badge } from "../ui/badge";
import { Dialog } from "../ui/dialog";
import { toast } from "../ui/feedback";
import { Field, useSaving } from "../ui/form";
import { appointmentTone } from "./calendar";

interface FormProps {
  appointment: Appointment | null;
  at: Wall;
  staff: Staff[];
  services: Service[];
  staffHint: string;
  onClose(): void;
  onSaved(): void;
}

export function AppointmentForm({ appointment, at, staff, services, staffHint, onClose, onSaved }: FormProps) {
  const clients = useQuery(listClientNames, []);
  const firstService = services[0];
  const [clientId, setClientId] = useState(appointment?.client_id ?? "");
  const [staffId, setStaffId] = useState(appointment?.staff_id ?? (staffHint || staff[0]?.id || ""));
  const [serviceId, setServiceId] = useState(appointment?.service_id ?? firstService?.id ?? "");
  const [day, setDay] = useState(at.day);
  const [time, setTime] = useState(timeLabel(at.minutes));
  const [length, setLength] = useState(
    appointment ? (Date.parse(appointment.ends_at) - Date.parse(appointment.starts_at)) / 60_000 : (firstService?.duration_min ?? 60),
  );
  const [price, setPrice] = useState(centsToInput(appointment?.price_cents ?? firstService?.price_cents ?? 0));
  const [reason, setReason] = useState<string | null>(null);
  const [saving, save] = useSaving();
  const cents = parseMoney(price);
  const isOn = !appointment || appointment.status === "approved" || appointment.status === "pending";

  const chooseService = (id: string) => {
    setServiceId(id);
    const service = services.find((one) => one.id === id);
    if (!service) return;
    setLength(service.duration_min);
    setPrice(centsToInput(service.price_cents));
  };
  const submit = (event: Event) => {
    event.preventDefault();
    const minutes = parseTime(time);
    if (minutes === null || cents === null) return;
    void save(async () => {
      const starts = instantOf({ day, minutes }, timeZone);
      await saveAppointment(appointment?.id ?? null, {
        client_id: clientId,
        staff_id: staffId,
        service_id: serviceId,
        starts_at: starts.toISOString(),
        ends_at: new Date(starts.getTime() + length * 60_000).toISOString(),
        status: appointment?.status ?? "approved",
        price_cents: cents,
      });
      toast(appointment ? "Appointment saved" : "Appointment added");
      onSaved();
    });
  };
  const setStatus = (status: Appointment["status"], why: string | null, done: string) =>
    save(async () => {
      await setAppointmentStatus(appointment!.id, status, why);
      toast(done);
      onSaved();
    });

  return (
    <Dialog title={appointment ? "Appointment" : "New appointment"} onClose={onClose}>
      <form class="form" onSubmit={submit}>
        <div class="form-body">
          {appointment && (
            <p class="form-status field-wide">
              <Badge tone={appointmentTone(appointment.status)}>{appointment.status}</Badge>
              {appointment.source !== "manual" && <Badge>{`from ${appointment.source}`}</Badge>}
              {appointment.cancel_reason && <span class="muted">{appointment.cancel_reason}</span>}
            </p>
          )}
          <Field label="Client" wide>
            <select required value={clientId} onChange={(event) => setClientId(event.currentTarget.value)}>
              <option value="">Choose…</option>
              {appointment && !clients.data?.some(({ id }) => id === appointment.client_id) && (
                <option value={appointment.client_id}>{fullName(appointment.client)}</option>
              )}
              {clients.data?.map((client) => <option key={client.id} value={client.id}>{fullName(client)}</option>)}
            </select>
          </Field>
          <Field label="Service" roomy>
            <select required value={serviceId} onChange={(event) => chooseService(event.currentTarget.value)}>
              {services.map((service) => <option key={service.id} value={service.id}>{service.name}</option>)}
            </select>
          </Field>
          <Field label="With" roomy>
            <select required value={staffId} onChange={(event) => setStaffId(event.currentTarget.value)}>
              {staff.map((one) => <option key={one.id} value={one.id}>{one.full_name}</option>)}
            </select>
          </Field>
          <Field label="Day">
            <input type="date" required value={day} onInput={(event) => setDay(event.currentTarget.value)} />
          </Field>
          <Field label="Time">
            <input type="time" required step={300} value={time} onInput={(event) => setTime(event.currentTarget.value)} />
          </Field>
          <Field label="Minutes">
            <input type="number" required min={5} max={720} step={5} value={length} onInput={(event) => setLength(Number(event.currentTarget.value))} />
          </Field>
          <Field label="Price" error={cents === null ? "Write an amount such as 32 or 32,50." : undefined}>
            <input inputMode="decimal" required value={price} onInput={(event) => setPrice(event.currentTarget.value)} />
          </Field>
          {reason !== null && (
            <Field label="Why is it canceled" wide>
              <input autoFocus value={reason} placeholder="The client's words, or ours" onInput={(event) => setReason(event.currentTarget.value)} />
            </Field>
          )}
        </div>
        {reason !== null ? (
          <footer class="form-foot">
            <button class="button" type="button" onClick={() => setReason(null)}>Keep it</button>
            <button class="button button-danger" type="button" disabled={saving} onClick={() => setStatus("canceled", reason.trim() || null, "Appointment canceled")}>
              Cancel appointment
            </button>
          </footer>
        ) : (
          <footer class="form-foot">
            {appointment && isOn && <button class="button button-danger push-left" type="button" onClick={() => setReason("")}>Cancel it</button>}
            {appointment?.status === "pending" && (
              <button class="button" type="button" disabled={saving} onClick={() => setStatus("approved", null, "Appointment confirmed")}>Confirm</button>
            )}
            {appointment && !isOn && (
              <button class="button push-left" type="button" disabled={saving} onClick={() => setStatus("approved", null, "Appointment is on again")}>Put it back</button>
            )}
            <button class="button button-primary" disabled={saving || cents === null}>{saving ? "Saving…" : "Save"}</button>
          </footer>
        )}
      </form>
    </Dialog>
  );
}
