import { handle } from "../../supabase/functions/whatsapp/handler.ts";
import { backgroundDone } from "../../supabase/functions/_shared/background.ts";
import { hmacHex } from "../../supabase/functions/_shared/crypto.ts";
import { assert, assertEquals, FakePostgrest, fixture, scene } from "./postgrest.ts";

const ADDRESS = "http://host/whatsapp";

async function deliver(body: string, secret = "app-secret"): Promise<Response> {
  const signature = `sha256=${await hmacHex(secret, new TextEncoder().encode(body))}`;
  const request = new Request(ADDRESS, { method: "POST", headers: { "x-hub-signature-256": signature }, body });
  const answer = await handle(request);
  await backgroundDone();
  return answer;
}

async function send(id: unknown, key = "service-key"): Promise<Response> {
  const headers = { authorization: `Bearer ${key}` };
  return await handle(new Request(`${ADDRESS}/send`, { method: "POST", headers, body: JSON.stringify({ message_id: id }) }));
}

function outgoing(db: FakePostgrest, more = {}) {
  const client = db.add("clients", { phone_e164: "+351912345602", whatsapp_opt_in_at: "2026-01-01", first_name: "Beatriz" });
  return db.add("messages", { client_id: client.id, template: "booking_confirmed", language: "pt_PT", params: ["Beatriz"], ...more });
}

scene("the challenge is answered as plain text when the token is right", async () => {
  const question = "hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=";
  const right = await handle(new Request(`${ADDRESS}?${question}verify-me`));
  assertEquals([right.status, await right.text()], [200, "1158201444"]);
  assertEquals((await handle(new Request(`${ADDRESS}?${question}guess`))).status, 403);
});

scene("a text becomes an interaction of a new client", async (db) => {
  assertEquals((await deliver(await fixture("whatsapp-text"))).status, 200);
  const [client] = db.rows("clients");
  assertEquals([client.first_name, client.last_name, client.phone_e164], ["Beatriz", "Moura", "+351912345602"]);
  assertEquals(client.whatsapp_opt_in_at, null);
  const [spoken] = db.rows("interactions");
  assertEquals([spoken.body, spoken.direction, spoken.client_id], ["Olá! Têm vaga na sexta? 😊", "in", client.id]);
});

scene("the same text twice is one interaction", async (db) => {
  await deliver(await fixture("whatsapp-text"));
  const again = await deliver(await fixture("whatsapp-text"));
  assertEquals([again.status, (await again.json()).fresh], [200, 0]);
  assertEquals(db.rows("interactions").length, 1);
});

scene("statuses that arrive out of order only move a message forward", async (db) => {
  const message = outgoing(db, { wamid: "wamid.OUT1", status: "accepted" });
  const seen = [];
  for (const status of JSON.parse(await fixture("whatsapp-statuses"))) {
    await deliver(JSON.stringify(status));
    seen.push(message.status);
  }
  assertEquals(seen, ["sent", "read", "read", "read"]);
});

scene("a failed message keeps the error of Meta", async (db) => {
  const message = outgoing(db, { wamid: "wamid.OUT1", status: "sent" });
  await deliver(JSON.stringify(JSON.parse(await fixture("whatsapp-statuses"))[3]));
  assertEquals([message.status, message.error_code], ["failed", 131026]);
});

scene("a status that is faster than our own note is tried again", async (db) => {
  const [sent] = JSON.parse(await fixture("whatsapp-statuses"));
  assertEquals((await deliver(JSON.stringify(sent))).status, 200);
  assertEquals(db.rows("webhook_inbox")[0].processed_at, null);
});

scene("CANCEL as a reply cancels the appointment it quotes", async (db) => {
  const appointment = db.add("appointments", { status: "approved", starts_at: "2026-03-19T10:30:00Z" });
  outgoing(db, { wamid: "wamid.OUT1", appointment_id: appointment.id });
  await deliver(await fixture("whatsapp-cancel"));
  assertEquals([appointment.status, appointment.cancel_reason], ["canceled", "Canceled by WhatsApp"]);
});

scene("a bare CONFIRM confirms the next appointment of the sender", async (db) => {
  const client = db.add("clients", { phone_e164: "+351912345602", first_name: "Beatriz" });
  const appointment = db.add("appointments", { client_id: client.id, status: "pending", starts_at: "2099-03-19T10:30:00Z" });
  await deliver(await fixture("whatsapp-confirm"));
  assertEquals(appointment.status, "approved");
});

scene("kinds and fields we do not know are taken without failing", async (db) => {
  assertEquals((await deliver(await fixture("whatsapp-unknown"))).status, 200);
  assertEquals(db.rows("interactions")[0].body, "[hologram]");
  assertEquals((await deliver(JSON.stringify({ object: "page" }))).status, 200);
});

scene("with CRM off the event is stored and not processed, and replayed when it is on again", async (db) => {
  db.modulesOff.add("crm");
  assertEquals((await deliver(await fixture("whatsapp-text"))).status, 200);
  assertEquals([db.rows("webhook_inbox").length, db.rows("clients").length], [1, 0]);
  db.modulesOff.clear();
  db.rows("webhook_inbox")[0].received_at = "2026-01-01T00:00:00Z";
  await deliver(await fixture("whatsapp-unknown"));
  assert(db.rows("interactions").some(({ body }) => body === "Olá! Têm vaga na sexta? 😊"));
});

scene("a bad or missing signature is refused and stores nothing", async (db) => {
  assertEquals((await deliver(await fixture("whatsapp-text"), "not-the-secret")).status, 401);
  assertEquals((await handle(new Request(ADDRESS, { method: "POST", body: "{}" }))).status, 401);
  assertEquals(db.rows("webhook_inbox").length, 0);
});

scene("during a rotation the app secret before is good too", async () => {
  Deno.env.set("WHATSAPP_APP_SECRET_PREVIOUS", "old-secret");
  assertEquals((await deliver(await fixture("whatsapp-text"), "old-secret")).status, 200);
});

scene("send needs the service role", async (db) => {
  assertEquals((await send(outgoing(db).id, "anon-key")).status, 401);
  assertEquals(db.graphCalls.length, 0);
});

scene("send posts the template and keeps the number Meta gave", async (db) => {
  const message = outgoing(db);
  assertEquals((await send(message.id)).status, 200);
  assertEquals(db.graphCalls[0].body.biz_opaque_callback_data, message.id);
  assertEquals([message.status, message.wamid], ["accepted", "wamid.NEW1"]);
  await send(message.id);
  assertEquals(db.graphCalls.length, 1);
});

scene("a busy Meta leaves the message queued, a hopeless one fails it", async (db) => {
  const busy = outgoing(db);
  db.graphAnswer = { status: 400, body: { error: { code: 130429 } } };
  assertEquals((await send(busy.id)).status, 502);
  assertEquals([busy.status, busy.error_code], ["queued", 130429]);
  const hopeless = outgoing(db);
  db.graphAnswer = { status: 400, body: { error: { code: 132001 } } };
  await send(hopeless.id);
  assertEquals([hopeless.status, hopeless.error_code], ["failed", 132001]);
});

scene("nobody is written to without having opted in", async (db) => {
  const message = outgoing(db);
  db.rows("clients")[0].whatsapp_opt_in_at = null;
  assertEquals((await send(message.id)).status, 409);
  assert(db.graphCalls.length === 0);
});

scene("a message that stayed queued is tried again with the next event, unless it is too old", async (db) => {
  const minutesAgo = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString();
  const waiting = outgoing(db, { status_at: minutesAgo(5), created_at: minutesAgo(30) });
  const stale = outgoing(db, { status_at: minutesAgo(2000), created_at: minutesAgo(2000) });
  await deliver(await fixture("whatsapp-text"));
  assertEquals([waiting.status, stale.status, db.graphCalls.length], ["accepted", "queued", 1]);
});
