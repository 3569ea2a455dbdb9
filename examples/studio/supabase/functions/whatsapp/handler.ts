// Meta repeats whatever is not answered with 200 for days, out of order at times: store, answer, then work.

import { inBackground } from "../_shared/background.ts";
import { matchesAny, sameSecret, signedByAny, validSecrets } from "../_shared/crypto.ts";
import { guarded, json, log, parseObject, readBody, Refusal } from "../_shared/http.ts";
import { accept, replay, work } from "../_shared/inbox.ts";
import { readArrivals } from "./event.ts";
import { whatsappWorker } from "./process.ts";
import { send, sendWaiting } from "./send.ts";

const NAME = "whatsapp";

async function challenge(url: URL): Promise<Response> {
  const asked = url.searchParams;
  const known = await matchesAny(asked.get("hub.verify_token") ?? "", validSecrets("WHATSAPP_VERIFY_TOKEN"));
  if (asked.get("hub.mode") !== "subscribe" || !known) throw new Refusal(403, "forbidden");
  return new Response(asked.get("hub.challenge") ?? "", { headers: { "content-type": "text/plain" } });
}

async function receive(request: Request): Promise<Response> {
  const secrets = validSecrets("WHATSAPP_APP_SECRET");
  if (secrets.length === 0) throw new Refusal(503, "not configured");
  const body = await readBody(request);
  if (!await signedByAny(request.headers.get("x-hub-signature-256"), body, secrets)) {
    throw new Refusal(401, "unauthorized");
  }
  const arrivals = readArrivals(parseObject(body));
  const fresh = await accept(arrivals);
  log(NAME, "received", { events: arrivals.length, fresh: fresh.length });
  inBackground(NAME, async () => {
    await work(whatsappWorker, fresh);
    await replay(whatsappWorker);
    await sendWaiting();
  });
  return json(200, { ok: true, received: arrivals.length, fresh: fresh.length });
}

async function sendAsked(request: Request): Promise<Response> {
  const key = Deno.env.get("SUPABASE_SERVICE_ROLE_KEY") ?? "";
  const offered = request.headers.get("authorization")?.replace(/^Bearer /i, "") ?? "";
  if (!key || !await sameSecret(offered, key)) throw new Refusal(401, "unauthorized");
  const { message_id } = parseObject(await readBody(request));
  return await send(String(message_id ?? ""));
}

export const handle = guarded(NAME, async (request) => {
  const url = new URL(request.url);
  if (url.pathname.endsWith("/send")) {
    if (request.method !== "POST") throw new Refusal(405, "only POST");
    return await sendAsked(request);
  }
  if (request.method === "GET") return await challenge(url);
  if (request.method === "POST") return await receive(request);
  throw new Refusal(405, "only GET and POST");
});
