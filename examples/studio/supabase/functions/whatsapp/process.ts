import { Worker } from "../_shared/inbox.ts";
import { normalisePhone } from "../_shared/phone.ts";
import { first, insertNew, moduleEnabled, Row, update } from "../_shared/rest.ts";
import { Fields } from "./event.ts";

// A status moves a message forward only: what may be overwritten by what arrives.
const BEFORE: Record<string, string[]> = {
  sent: ["queued", "accepted"],
  delivered: ["queued", "accepted", "sent"],
  read: ["queued", "accepted", "sent", "delivered"],
  failed: ["queued", "accepted", "sent"],
};
const UNKNOWN_MESSAGE_GRACE_MS = 5 * 60_000;

export const whatsappWorker: Worker = {
  source: "whatsapp",
  isOpen: () => moduleEnabled("crm"),
  async process(row) {
    const payload = row.payload as { message?: Fields; contact?: Fields | null; status?: Fields };
    if (payload.status) await moveStatus(row, payload.status);
    if (payload.message) await receiveMessage(payload.message, payload.contact ?? {});
  },
};

async function moveStatus(row: Row, status: Fields) {
  const before = BEFORE[String(status.status)];
  if (!before) return;
  const error = Array.isArray(status.errors) ? Number(status.errors[0]?.code) || null : null;
  const moved = await update(
    "messages",
    { wamid: `eq.${status.id}`, status: `in.(${before.join(",")})` },
    { status: status.status, error_code: error, status_at: instantOf(status.timestamp) },
  );
  if (moved.length > 0 || await first("messages", { select: "id", wamid: `eq.${status.id}` })) return;
  const age = Date.now() - Date.parse(String(row.received_at));
  if (age < UNKNOWN_MESSAGE_GRACE_MS) throw new Error("the message of this status is not known yet");
}

async function receiveMessage(message: Fields, contact: Fields) {
  const client = await clientOf(String(message.from), contact);
  const occurred = instantOf(message.timestamp);
  const body = textOf(message);
  const fresh = await insertNew("interactions", "external_id", {
    client_id: client.id,
    channel: "whatsapp",
    direction: "in",
    body,
    external_id: message.id,
    occurred_at: occurred,
  });
  const wish = /^\s*(confirm|cancel)\s*[.!]?\s*$/i.exec(body)?.[1].toLowerCase();
  if (wish && await moduleEnabled("scheduling")) await answerAppointment(wish, message, client, occurred, fresh.length > 0);
}

function instantOf(timestamp: unknown): string {
  const seconds = Number(timestamp);
  return new Date(seconds > 0 ? seconds * 1000 : Date.now()).toISOString();
}

function textOf(message: Fields): string {
  const part = (name: string) => (message[name] ?? {}) as Fields;
  const interactive = part("interactive");
  const reply = (interactive.button_reply ?? interactive.list_reply ?? {}) as Fields;
  return String(part("text").body ?? part("button").text ?? reply.title ?? `[${message.type ?? "unknown"}]`).slice(0, 4096);
}

async function clientOf(waId: string, contact: Fields): Promise<Row> {
  const phone = normalisePhone(`+${waId}`);
  if (!phone) throw new Error("sender without a usable number");
  const known = await first("clients", { phone_e164: `eq.${phone}`, order: "archived_at.desc.nullsfirst,created_at.asc" });
  if (known) return known;
  const name = String((contact.profile as Fields | undefined)?.name ?? "").trim();
  const [firstName, ...rest] = name.split(/\s+/);
  return (await insertNew("clients", "id", {
    first_name: firstName || phone,
    last_name: rest.join(" "),
    phone_e164: phone,
    source: "whatsapp",
  }))[0];
}

/** A quoted reply names its appointment and may be repeated; a bare one is acted on once, for the next appointment. */
async function answerAppointment(wish: string, message: Fields, client: Row, occurred: string, fresh: boolean) {
  const quoted = (message.context as Fields | undefined)?.id;
  const original = quoted ? await first("messages", { wamid: `eq.${quoted}`, client_id: `eq.${client.id}` }) : undefined;
  let appointment = original?.appointment_id as string | undefined;
  if (!appointment && fresh) {
    appointment = (await first("appointments", {
      select: "id",
      client_id: `eq.${client.id}`,
      starts_at: `gt.${occurred}`,
      status: "in.(approved,pending)",
      order: "starts_at.asc",
    }))?.id;
  }
  if (!appointment) return;
  if (wish === "confirm") {
    await update("appointments", { id: `eq.${appointment}`, status: "eq.pending" }, { status: "approved" });
  } else {
    await update(
      "appointments",
      { id: `eq.${appointment}`, status: "in.(approved,pending)" },
      { status: "canceled", cancel_reason: "Canceled by WhatsApp" },
    );
  }
}
