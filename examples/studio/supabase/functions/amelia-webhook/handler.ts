// Amelia waits for the answer while its customer looks at the booking page, so: authenticate, store, answer,
// and only then do the work.

import { inBackground } from "../_shared/background.ts";
import { matchesAny, signedByAny, validSecrets } from "../_shared/crypto.ts";
import { guarded, json, log, parseObject, readBody, Refusal } from "../_shared/http.ts";
import { accept, replay, work } from "../_shared/inbox.ts";
import { readEvent } from "./event.ts";
import { ameliaWorker } from "./process.ts";

const NAME = "amelia-webhook";

async function authenticate(request: Request, url: URL, body: Uint8Array<ArrayBuffer>): Promise<void> {
  const secrets = validSecrets("AMELIA_WEBHOOK_SECRET");
  if (secrets.length === 0) throw new Refusal(503, "not configured");
  const signature = request.headers.get("x-studio-signature");
  const genuine = signature !== null
    ? await signedByAny(signature, body, secrets)
    : await matchesAny(url.searchParams.get("secret") ?? "", secrets);
  if (!genuine) throw new Refusal(401, "unauthorized");
}

export const handle = guarded(NAME, async (request) => {
  if (request.method !== "POST") throw new Refusal(405, "only POST");
  const url = new URL(request.url);
  const body = await readBody(request);
  await authenticate(request, url, body);

  const event = await readEvent(url.searchParams.get("action"), parseObject(body));
  const fresh = await accept([{ source: "amelia", ...event }]);
  log(NAME, fresh.length > 0 ? "stored" : "duplicate", { action: event.action, subject: event.subject });
  inBackground(NAME, async () => {
    await work(ameliaWorker, fresh);
    await replay(ameliaWorker);
  });
  return json(200, { ok: true, result: fresh.length > 0 ? "stored" : "duplicate" });
});
