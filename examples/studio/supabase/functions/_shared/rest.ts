export type Row = Record<string, unknown> & { id: string };
type Query = Record<string, string>;

export class RestError extends Error {
  constructor(readonly status: number, readonly code: string, message: string) {
    super(message);
  }
}

const DEADLINE_MS = 8_000;
const FLAG_DEADLINE_MS = 1_500;

async function call(
  method: string,
  path: string,
  query: Query,
  options: { body?: unknown; prefer?: string; deadlineMs?: number } = {},
): Promise<unknown> {
  const key = Deno.env.get("SUPABASE_SERVICE_ROLE_KEY") ?? "";
  const answer = await fetch(`${Deno.env.get("SUPABASE_URL")}/rest/v1/${path}?${new URLSearchParams(query)}`, {
    method,
    headers: {
      apikey: key,
      authorization: `Bearer ${key}`,
      "content-type": "application/json",
      ...(options.prefer ? { prefer: options.prefer } : {}),
    },
    body: options.body === undefined ? undefined : JSON.stringify(options.body),
    signal: AbortSignal.timeout(options.deadlineMs ?? DEADLINE_MS),
  });
  const text = await answer.text();
  if (answer.ok) return text ? JSON.parse(text) : [];
  let problem: { code?: string; message?: string } = {};
  try {
    problem = JSON.parse(text);
  } catch {
    problem = { message: text.slice(0, 200) };
  }
  throw new RestError(answer.status, problem.code ?? "", `${method} ${path}: ${problem.message ?? answer.status}`);
}

export async function select(table: string, query: Query): Promise<Row[]> {
  return await call("GET", table, query) as Row[];
}

export async function first(table: string, query: Query): Promise<Row | undefined> {
  return (await select(table, { ...query, limit: "1" }))[0];
}

/** Inserts what is new and answers those rows only; rows that exist already are left as they are. */
export async function insertNew(table: string, onConflict: string, rows: unknown): Promise<Row[]> {
  const prefer = "resolution=ignore-duplicates,return=representation";
  return await call("POST", table, { on_conflict: onConflict }, { body: rows, prefer }) as Row[];
}

export async function upsert(table: string, onConflict: string, row: unknown): Promise<Row> {
  const prefer = "resolution=merge-duplicates,return=representation";
  return (await call("POST", table, { on_conflict: onConflict }, { body: row, prefer }) as Row[])[0];
}

export async function update(table: string, where: Query, values: unknown): Promise<Row[]> {
  return await call("PATCH", table, where, { body: values, prefer: "return=representation" }) as Row[];
}

export async function rpc(name: string, args: unknown = {}, deadlineMs?: number): Promise<unknown> {
  return await call("POST", `rpc/${name}`, {}, { body: args, deadlineMs });
}

export const MODULES = ["crm", "scheduling", "financial"] as const;

/** The flag of a module, for whoever is not a particular user. */
export async function moduleEnabled(module: typeof MODULES[number]): Promise<boolean> {
  return await rpc("module_enabled", { module }, FLAG_DEADLINE_MS) === true;
}
