import { handle } from "../../supabase/functions/health/handler.ts";
import { assert, assertEquals, scene } from "./postgrest.ts";

const ask = (method = "GET") => handle(new Request("http://host/health", { method }));

scene("health says release, schema and deployment", async () => {
  Deno.env.set("LOCKFLIGHT_RELEASE", "2026-03-14.9f3c1ab0");
  const answer = await ask();
  const body = await answer.json();
  assertEquals([answer.status, body.ok, body.release], [200, true, "2026-03-14.9f3c1ab0"]);
  assertEquals([body.schema_version, body.deployment], ["20260202090000", "ref_fn_1"]);
  assert(typeof body.checks.db_ms === "number");
  assertEquals(answer.headers.get("cache-control"), "no-store");
});

scene("health says which modules are on, and does without", async (db) => {
  db.modulesOff.add("financial");
  assertEquals((await (await ask()).json()).flags, { crm: true, scheduling: true, financial: false });
  db.broken = true;
  assertEquals((await (await ask()).json()).flags, {});
});

scene("without a release it says none", async () => {
  assertEquals((await (await ask()).json()).release, "none");
});

scene("a database that does not answer makes it 503", async (db) => {
  db.broken = true;
  const answer = await ask();
  assertEquals([answer.status, (await answer.json()).ok], [503, false]);
});

scene("health tells no secret", async () => {
  const text = await (await ask()).text();
  assert(!/service-key|app-secret|amelia-secret/.test(text), text);
});

scene("health only answers GET and HEAD", async () => {
  assertEquals((await ask("POST")).status, 405);
  assertEquals((await ask("HEAD")).status, 200);
});
