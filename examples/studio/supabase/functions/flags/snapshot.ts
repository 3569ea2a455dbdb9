// What the database says about all flags at once, and how it is asked.

export type Scalar = string | number | boolean;

export interface Flag {
  state: "ENABLED" | "DISABLED";
  variants: Record<string, unknown>;
  defaultVariant?: string | null;
  targeting?: unknown;
  metadata?: Record<string, Scalar>;
  requires?: { flag: string; variant: string }[];
  offVariant?: string;
}

export interface Attribute {
  type: "string" | "number" | "boolean" | "list" | "version";
  trusted?: boolean;
}

export interface Snapshot {
  v: number;
  next: number | null; // unix seconds: when a schedule changes something without a new version
  document: {
    flags: Record<string, Flag>;
    $evaluators?: Record<string, unknown>;
    metadata?: Record<string, Scalar>;
  };
  flags: Record<string, { exposure: "client" | "server" | "db"; kind?: string }>;
  attributes: Record<string, Attribute>;
}

const DEADLINE_MS = 3_000;

/** Everything, or null if the version is still `known`. */
export async function askDatabase(known: number | null): Promise<Snapshot | null> {
  const key = Deno.env.get("SUPABASE_SERVICE_ROLE_KEY") ?? "";
  const answer = await fetch(`${Deno.env.get("SUPABASE_URL")}/rest/v1/rpc/lockflight_flags`, {
    method: "POST",
    headers: { apikey: key, authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify({ known }),
    signal: AbortSignal.timeout(DEADLINE_MS),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`lockflight_flags: ${answer.status} ${text.slice(0, 200)}`);
  return text ? JSON.parse(text) : null;
}
