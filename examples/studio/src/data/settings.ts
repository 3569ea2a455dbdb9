import { ask, supabase } from "./client";
import type { Profile } from "./types";

export async function ownProfile(user: string): Promise<Profile | null> {
  return await ask(supabase.from("profiles").select("user_id, full_name, role").eq("user_id", user).maybeSingle());
}

export async function listProfiles(): Promise<Profile[]> {
  return await ask(supabase.from("profiles").select("user_id, full_name, role").order("full_name"));
}

export interface InboxEvent {
  id: string;
  source: "amelia" | "whatsapp";
  action: string;
  received_at: string;
  processed_at: string | null;
  attempts: number;
  last_error: string | null;
}

export async function recentEvents(): Promise<InboxEvent[]> {
  const fields = "id, source, action, received_at, processed_at, attempts, last_error";
  return await ask(supabase.from("webhook_inbox").select(fields).order("received_at", { ascending: false }).limit(8));
}
