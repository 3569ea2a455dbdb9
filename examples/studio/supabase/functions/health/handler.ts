import { guarded, json, Refusal } from "../_shared/http.ts";
import { MODULES, moduleEnabled, rpc } from "../_shared/rest.ts";

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

/** What is switched on, for whoever is not a particular user. Never a reason to be unwell. */
async function askFlags(): Promise<Record<string, boolean>> {
  const asked = MODULES.map(async (module) => [module, await moduleEnabled(module)] as const);
  return Object.fromEntries(await Promise.all(asked).catch(() => []));
}

export const handle = guarded("health", async (request) => {
  if (request.method !== "GET" && request.method !== "HEAD") throw new Refusal(405, "only GET");
  const [{ ok, schema_version, db_ms }, flags] = await Promise.all([askDatabase(), askFlags()]);
  return json(ok ? 200 : 503, {
    ok,
    release: Deno.env.get("LOCKFLIGHT_RELEASE") || "none",
    schema_version,
    deployment: Deno.env.get("DENO_DEPLOYMENT_ID"),
    flags,
    checks: { db_ms },
  });
});
