import { Arrival } from "../_shared/inbox.ts";

export type Fields = Record<string, unknown>;

function list(value: unknown): Fields[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === "object" && item !== null) : [];
}

/** One inbox row for each message and each status. Fields and kinds we do not know are passed over. */
export function readArrivals(body: Fields): Arrival[] {
  if (body.object !== "whatsapp_business_account") return [];
  const values = list(body.entry)
    .flatMap((entry) => list(entry.changes))
    .filter((change) => change.field === "messages")
    .map((change) => (change.value ?? {}) as Fields);
  return unique(values.flatMap((value) => [...messages(value), ...statuses(value)]));
}

function messages(value: Fields): Arrival[] {
  return list(value.messages).filter((message) => message.id).map((message) => ({
    source: "whatsapp",
    action: "message",
    dedupe_key: `whatsapp:message:${message.id}`,
    payload: { message, contact: list(value.contacts).find((contact) => contact.wa_id === message.from) ?? null },
  }));
}

function statuses(value: Fields): Arrival[] {
  return list(value.statuses).filter((status) => status.id && status.status).map((status) => ({
    source: "whatsapp",
    action: "status",
    dedupe_key: `whatsapp:status:${status.id}:${status.status}`,
    payload: { status },
  }));
}

function unique(arrivals: Arrival[]): Arrival[] {
  return [...new Map(arrivals.map((arrival) => [arrival.dedupe_key, arrival])).values()];
}
