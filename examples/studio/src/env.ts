export interface Environment {
  name: string;
  release: string;
  supabaseUrl: string;
  supabaseAnonKey: string;
  timeZone: string;
  flagsUrl: string; // where OFREP is served; empty: nowhere
  flags: Record<string, boolean>; // what they were when the release was made
}

/** Reads what `/_lockflight/env.js` left behind. Answers null when the address or the key is missing. */
export function parseEnvironment(raw: unknown): Environment | null {
  const file = (raw ?? {}) as { environment?: unknown; release?: unknown; values?: Record<string, unknown>; flags?: Record<string, boolean> };
  const values = file.values ?? {};
  const text = (value: unknown, fallback = "") => (typeof value === "string" && value !== "" ? value : fallback);
  const supabaseUrl = text(values.SUPABASE_URL).replace(/\/+$/, "");
  const supabaseAnonKey = text(values.SUPABASE_ANON_KEY);
  if (!supabaseUrl || !supabaseAnonKey) return null;
  return {
    name: text(file.environment, "unknown"),
    release: text(file.release, "none"),
    supabaseUrl,
    supabaseAnonKey,
    timeZone: text(values.STUDIO_TIME_ZONE, "Europe/Lisbon"),
    flagsUrl: text(values.FLAGS_URL).replace(/\/+$/, ""),
    flags: Object.fromEntries(Object.entries(file.flags ?? {}).filter(([, value]) => typeof value === "boolean")),
  };
}

export const environment = parseEnvironment((globalThis as { __LOCKFLIGHT__?: unknown }).__LOCKFLIGHT__);
export const timeZone = environment?.timeZone ?? "Europe/Lisbon";
