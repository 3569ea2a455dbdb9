import { guarded, json, Refusal } from "../_shared/http.ts";
import { rpc } from "../_shared/rest.ts";

const DATABASE_DEADLINE_MS = 1_500;

async function askDatabase(): Promise<{ ok: boolean; schema_version?: string; db_ms: number }> {
  const started = performance.now();
  const elapsed = () => Math.round((performance.now() - started) * 10) / 10;
  try {
    const version = await rpc("schema_version", {}, DATABASE_DEADLINE_MS);
    return { ok: true, schema_version: typeof version === "string" ? version : undefined, db_ms: elapsed() };
  } catch {
    return { ok: false, db_ms: elapsed() };
  }
}

export const handle = guarded("health", async (request) => {
  if (request.method !== "GET" && request.method !== "HEAD") throw new Refusal(405, "only GET");
  const { ok, schema_version, db_ms } = await askDatabase();
  return json(ok ? 200 : 503, {
    ok,
    release: Deno.env.get("LOCKFLIGHT_RELEASE") || "none",
    schema_version,
    deployment: Deno.env.get("DENO_DEPLOYMENT_ID"),
    checks: { db_ms },
  });
});
