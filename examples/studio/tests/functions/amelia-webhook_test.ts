import { handle } from "../../supabase/functions/amelia-webhook/handler.ts";
import { handle as whatsapp } from "../../supabase/functions/whatsapp/handler.ts";
import { backgroundDone } from "../../supabase/functions/_shared/background.ts";
import { hmacHex } from "../../supabase/functions/_shared/crypto.ts";
import { assert, assertEquals, FakePostgrest, fixture, scene } from "./postgrest.ts";

const SECRET = "amelia-secret-of-thirty-two-characters";

async function deliver(action: string, body?: string, headers: HeadersInit = {}, secret = SECRET): Promise<Response> {
  const address = `http://host/amelia-webhook?action=${action}&secret=${secret}`;
  const answer = await handle(new Request(address, { method: "POST", headers, body: body ?? await fixture(action) }));
  await backgroundDone();
  return answer;
}

function knownClient(db: FakePostgrest, more = {}) {
  return db.add("clients", { first_name: "Ana", phone_e164: "+351912345601", created_at: "2026-01-01", ...more });
}

scene("bookingAdded makes client, staff, service, appointment and payment", async (db) => {
  const answer = await deliver("bookingAdded");
  assertEquals([answer.status, (await answer.json()).result], [200, "stored"]);
  const [client] = db.rows("clients");
  assertEquals([client.phone_e164, client.email, client.source], ["+351912345601", "ana.figueiredo@example.com", "amelia"]);
  const [appointment] = db.rows("appointments");
  assertEquals(appointment.starts_at, "2026-03-19T10:30:00.000Z");
  assertEquals([appointment.status, appointment.price_cents, appointment.client_id], ["approved", 3200, client.id]);
  assertEquals([db.rows("staff")[0].full_name, db.rows("services")[0].duration_min], ["Marta Reis", 45]);
  const [payment] = db.rows("payments");
  assertEquals([payment.amount_cents, payment.gateway, payment.status], [3200, "stripe", "paid"]);
  assert(db.rows("webhook_inbox")[0].processed_at !== null);
});

scene("the same booking twice is stored once and says duplicate", async (db) => {
  await deliver("bookingAdded");
  const again = await deliver("bookingAdded");
  assertEquals([again.status, (await again.json()).result], [200, "duplicate"]);
  assertEquals([db.rows("webhook_inbox").length, db.rows("appointments").length], [1, 1]);
});

scene("no credential of Amelia reaches the inbox", async (db) => {
  await deliver("bookingAdded");
  const stored = JSON.stringify(db.rows("webhook_inbox"));
  assert(!/5f3c1b8a90|cancelUrl|customerPanelUrl|"token"/.test(stored), stored);
});

scene("bookingTimeUpdated moves the appointment although its list of bookings is empty", async (db) => {
  await deliver("bookingAdded");
  await deliver("bookingTimeUpdated");
  assertEquals(db.rows("appointments").length, 1);
  assertEquals(db.rows("appointments")[0].starts_at, "2026-03-20T15:00:00.000Z");
});

scene("bookingStatusUpdated keeps the status of the only booking", async (db) => {
  await deliver("bookingAdded");
  await deliver("bookingStatusUpdated");
  assertEquals(db.rows("appointments")[0].status, "no-show");
});

scene("bookingCanceled cancels, with lists sent as real lists", async (db) => {
  await deliver("bookingAdded");
  await deliver("bookingCanceled");
  const [appointment] = db.rows("appointments");
  assertEquals([appointment.status, appointment.cancel_reason], ["canceled", "Canceled in Amelia"]);
});

scene("packagePurchased and packageCanceled become notes of the client", async (db) => {
  await deliver("packagePurchased");
  await deliver("packageCanceled");
  const notes = db.rows("interactions").map((note) => note.body);
  assertEquals(notes, ["Bought the package Five massages", "Canceled the package Five massages"]);
  assertEquals(db.rows("appointments").length, 0);
});

scene("a client known by telephone is linked and keeps the name the studio wrote", async (db) => {
  const known = knownClient(db, { first_name: "Aninhas", email: null });
  await deliver("bookingAdded");
  const [client, ...others] = db.rows("clients");
  assertEquals(others.length, 0);
  assertEquals([client.id, client.first_name, client.amelia_customer_id], [known.id, "Aninhas", 301]);
  assertEquals(client.email, "ana.figueiredo@example.com");
});

scene("a client who opted in is told by WhatsApp, once", async (db) => {
  db.sendHandler = whatsapp;
  knownClient(db, { whatsapp_opt_in_at: "2026-01-02", locale: "pt" });
  await deliver("bookingAdded");
  await deliver("bookingAdded");
  assertEquals(db.graphCalls.length, 1);
  const [{ path, body, authorization }] = db.graphCalls;
  assertEquals([path, authorization], ["/graph/v23.0/100000000000001/messages", "Bearer graph-token"]);
  const template = body.template as { name: string; language: { code: string } };
  assertEquals([body.to, template.name, template.language.code], ["351912345601", "booking_confirmed", "pt_PT"]);
  assertEquals([db.rows("messages")[0].status, db.rows("messages")[0].wamid], ["accepted", "wamid.NEW1"]);
});

scene("a client who did not opt in is told nothing", async (db) => {
  await deliver("bookingAdded");
  assertEquals([db.rows("messages").length, db.graphCalls.length], [0, 0]);
});

scene("with Scheduling off the event waits in the inbox and is replayed when it is on again", async (db) => {
  db.modulesOff.add("scheduling");
  assertEquals((await deliver("bookingAdded")).status, 200);
  assertEquals([db.rows("appointments").length, db.rows("webhook_inbox")[0].processed_at], [0, null]);
  db.modulesOff.clear();
  db.rows("webhook_inbox")[0].received_at = "2026-01-01T00:00:00Z";
  await deliver("packagePurchased");
  assertEquals(db.rows("appointments").length, 1);
});

scene("with Financial off no payment is written", async (db) => {
  db.modulesOff.add("financial");
  await deliver("bookingAdded");
  assertEquals([db.rows("appointments").length, db.rows("payments").length], [1, 0]);
});

scene("an event that cannot be processed keeps its error and its attempts", async (db) => {
  const body = JSON.parse(await fixture("bookingAdded"));
  body.appointment.bookingStart = "soon";
  assertEquals((await deliver("bookingAdded", JSON.stringify(body))).status, 200);
  const [row] = db.rows("webhook_inbox");
  assertEquals([row.attempts, row.processed_at, row.last_error], [1, null, "not a time: soon"]);
});

scene("an old failure does not overwrite a later event about the same appointment", async (db) => {
  await deliver("bookingAdded");
  const [row] = db.rows("webhook_inbox");
  await deliver("bookingCanceled");
  Object.assign(row, { processed_at: null, attempts: 1, received_at: "2026-01-01T00:00:00Z" });
  await deliver("packagePurchased");
  assertEquals(db.rows("appointments")[0].status, "canceled");
  assertEquals(row.last_error, "superseded by a later event");
});

scene("a wrong secret and a bad signature are refused and store nothing", async (db) => {
  assertEquals((await deliver("bookingAdded", undefined, {}, "wrong")).status, 401);
  const forged = { "x-studio-signature": `sha256=${"0".repeat(64)}` };
  assertEquals((await deliver("bookingAdded", undefined, forged)).status, 401);
  assertEquals(db.rows("webhook_inbox").length, 0);
});

scene("a signature over the exact body is enough without a secret in the address", async () => {
  const body = await fixture("bookingAdded");
  const signature = `sha256=${await hmacHex(SECRET, new TextEncoder().encode(body))}`;
  assertEquals((await deliver("bookingAdded", body, { "x-studio-signature": signature }, "")).status, 200);
});

scene("during a rotation the secret before is good too", async () => {
  Deno.env.set("AMELIA_WEBHOOK_SECRET_PREVIOUS", "the-one-before");
  assertEquals((await deliver("bookingAdded", undefined, {}, "the-one-before")).status, 200);
  assertEquals((await deliver("bookingAdded")).status, 200);
});

scene("an unset secret closes the door instead of opening it", async () => {
  Deno.env.set("AMELIA_WEBHOOK_SECRET", "");
  assertEquals((await deliver("bookingAdded", undefined, {}, "")).status, 503);
});

scene("nonsense is answered with 400, other methods with 405", async () => {
  assertEquals((await deliver("bookingAdded", "{")).status, 400);
  assertEquals((await deliver("bookingAdded", "[1]")).status, 400);
  assertEquals((await deliver("somethingElse", "{}")).status, 400);
  assertEquals((await handle(new Request("http://host/amelia-webhook"))).status, 405);
});
