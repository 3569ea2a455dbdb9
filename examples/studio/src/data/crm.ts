import { likePattern } from "../lib/names";
import { ask, supabase } from "./client";
import type { Client, ClientName, ClientRow, Interaction, Lead, Stage } from "./types";

export const CLIENT_PAGE = 100;

export async function listClients(search: string, archived: boolean): Promise<ClientRow[]> {
  let query = supabase.from("clients").select("*, tags:client_tags(id, name)");
  query = archived ? query.not("archived_at", "is", null) : query.is("archived_at", null);
  for (const word of search.trim().split(/\s+/).filter(Boolean)) query = query.ilike("search_text", likePattern(word));
  return await ask(query.order("first_name").order("last_name").limit(CLIENT_PAGE));
}

export async function listClientNames(): Promise<ClientName[]> {
  const query = supabase.from("clients").select("id, first_name, last_name").is("archived_at", null);
  return await ask(query.order("first_name").order("last_name").limit(1000));
}

export type ClientDraft = Omit<Client, "id" | "created_at" | "archived_at">;

export async function saveClient(id: string | null, draft: ClientDraft): Promise<Client> {
  const table = supabase.from("clients");
  const query = id ? table.update(draft).eq("id", id) : table.insert(draft);
  return await ask(query.select().single());
}

export async function archiveClient(id: string, archived: boolean): Promise<void> {
  await ask(supabase.from("clients").update({ archived_at: archived ? new Date().toISOString() : null }).eq("id", id));
}

export async function listInteractions(client: string): Promise<Interaction[]> {
  const query = supabase.from("interactions").select("*").eq("client_id", client);
  return await ask(query.order("occurred_at", { ascending: false }).limit(30));
}

export async function addNote(client: string, body: string): Promise<void> {
  await ask(supabase.from("interactions").insert({ client_id: client, channel: "note", direction: "in", body }));
}

export async function listLeads(): Promise<Lead[]> {
  const query = supabase.from("leads").select("*, client:clients(id, first_name, last_name)");
  return await ask(query.order("next_step_on", { nullsFirst: false }).order("created_at"));
}

export type LeadDraft = Pick<Lead, "client_id" | "title" | "stage" | "value_cents" | "next_step_on" | "lost_reason">;

export async function saveLead(id: string | null, draft: LeadDraft): Promise<void> {
  const table = supabase.from("leads");
  await ask(id ? table.update(draft).eq("id", id) : table.insert(draft));
}

export async function moveLead(id: string, stage: Stage): Promise<void> {
  await ask(supabase.from("leads").update({ stage }).eq("id", id));
}

export async function removeLead(id: string): Promise<void> {
  await ask(supabase.from("leads").delete().eq("id", id));
}
