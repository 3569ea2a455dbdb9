import { json, log, Refusal } from "../_shared/http.ts";
import { first, Row, select, update } from "../_shared/rest.ts";

const RETRY_LATER = new Set([130429, 131000, 131056]);
const RETRY_AFTER_MS = 60_000;
const GIVE_UP_AFTER_MS = 24 * 3_600_000;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

interface GraphAnswer {
  messages?: { id: string }[];
  error?: { code?: number; message?: string };
}

export async function send(id: string): Promise<Response> {
  if (!UUID.test(id)) throw new Refusal(400, "message_id is not a uuid");
  const message = await first("messages", { id: `eq.${id}` });
  if (!message) throw new Refusal(404, "no such message");
  if (message.status !== "queued") return json(200, { ok: true, status: message.status });
  const client = await first("clients", { id: `eq.${message.client_id}` });
  if (!client?.whatsapp_opt_in_at || !client.phone_e164) throw new Refusal(409, "client has not opted in");

  const claim = { id: `eq.${id}`, status: "eq.queued", status_at: `eq.${message.status_at}` };
  const claimed = await update("messages", claim, { status_at: new Date().toISOString() });
  if (claimed.length === 0) return json(409, { error: "being sent already" });
  return await settle(id, await post(message, client));
}

/** What could not be sent is tried again with the next event, for a day; later it would only confuse. */
export async function sendWaiting(): Promise<void> {
  const now = Date.now();
  const waiting = await select("messages", {
    select: "id",
    status: "eq.queued",
    status_at: `lt.${new Date(now - RETRY_AFTER_MS).toISOString()}`,
    created_at: `gt.${new Date(now - GIVE_UP_AFTER_MS).toISOString()}`,
    order: "created_at.asc",
    limit: "5",
  });
  for (const message of waiting) {
    await send(message.id).catch((error) => log("whatsapp", "send_skipped", { message: message.id, reason: error.message }));
  }
}

async function post(message: Row, client: Row): Promise<{ status: number; answer: GraphAnswer }> {
  const setting = (name: string) => Deno.env.get(name) ?? "";
  const base = setting("WHATSAPP_API_BASE") || "https://graph.facebook.com";
  const address = `${base}/${setting("WHATSAPP_API_VERSION")}/${setting("WHATSAPP_PHONE_NUMBER_ID")}/messages`;
  const parameters = (message.params as unknown[]).map((text) => ({ type: "text", text: String(text) }));
  try {
    const answer = await fetch(address, {
      method: "POST",
      headers: { authorization: `Bearer ${setting("WHATSAPP_TOKEN")}`, "content-type": "application/json" },
      body: JSON.stringify({
        messaging_product: "whatsapp",
        recipient_type: "individual",
        to: String(client.phone_e164).slice(1),
        type: "template",
        template: {
          name: message.template,
          language: { code: message.language },
          components: [{ type: "body", parameters }],
        },
        biz_opaque_callback_data: message.id,
      }),
      signal: AbortSignal.timeout(10_000),
    });
    return { status: answer.status, answer: await answer.json().catch(() => ({})) };
  } catch {
    return { status: 503, answer: {} };
  }
}

async function settle(id: string, { status, answer }: { status: number; answer: GraphAnswer }): Promise<Response> {
  const now = new Date().toISOString();
  const wamid = answer.messages?.[0]?.id;
  if (status < 300 && wamid) {
    await update("messages", { id: `eq.${id}` }, { wamid, status: "accepted", error_code: null, status_at: now });
    return json(200, { ok: true, status: "accepted" });
  }
  const code = answer.error?.code ?? null;
  const later = status >= 500 || status === 429 || code === null || RETRY_LATER.has(code) || code === 190;
  await update("messages", { id: `eq.${id}` }, { status: later ? "queued" : "failed", error_code: code, status_at: now });
  log("whatsapp", code === 190 ? "token_expired" : "send_failed", { message: id, status, code, later });
  return json(502, { error: "not sent", code, later });
}
