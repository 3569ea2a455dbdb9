// Enough of PostgREST for the functions under test: filters, order, limit, upserts, two remote procedures.

type Row = Record<string, unknown>;

const UNIQUE: Record<string, string[]> = {
  webhook_inbox: ["dedupe_key"],
  clients: ["amelia_customer_id"],
  staff: ["amelia_provider_id"],
  services: ["amelia_service_id"],
  appointments: ["amelia_appointment_id"],
  payments: ["amelia_payment_id"],
  messages: ["wamid"],
  interactions: ["external_id"],
};
const DEFAULTS: Record<string, () => Row> = {
  webhook_inbox: () => ({ received_at: new Date().toISOString(), processed_at: null, attempts: 0, last_error: null }),
  clients: () => ({ amelia_customer_id: null, whatsapp_opt_in_at: null, locale: "en", archived_at: null, email: null }),
  messages: () => {
    const now = new Date().toISOString();
    return { status: "queued", wamid: null, error_code: null, status_at: now, created_at: now, params: [] };
  },
  appointments: () => ({ status: "approved" }),
};
const NOT_FILTERS = ["select", "order", "limit", "on_conflict"];

export class FakePostgrest {
  tables: Record<string, Row[]> = {};
  modulesOff = new Set<string>();
  graphCalls: { path: string; body: Row; authorization: string | null }[] = [];
  graphAnswer: { status: number; body: unknown } = { status: 200, body: { messages: [{ id: "wamid.NEW1" }] } };
  sendHandler?: (request: Request) => Promise<Response>;
  broken = false;
  private server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, (request) => this.answer(request));
  readonly url = `http://127.0.0.1:${(this.server.addr as Deno.NetAddr).port}`;

  rows(table: string): Row[] {
    return this.tables[table] ??= [];
  }

  add(table: string, row: Row): Row {
    const full = { id: crypto.randomUUID(), ...DEFAULTS[table]?.(), ...row };
    this.rows(table).push(full);
    return full;
  }

  async close() {
    await this.server.shutdown();
  }

  private async answer(request: Request): Promise<Response> {
    const url = new URL(request.url);
    if (url.pathname.startsWith("/functions/v1/whatsapp")) return await this.sendHandler!(request);
    if (url.pathname.startsWith("/graph/")) return await this.graph(request, url);
    if (this.broken) return Response.json({ message: "database is away" }, { status: 503 });
    if (request.headers.get("authorization") !== "Bearer service-key") return Response.json({}, { status: 401 });
    const name = url.pathname.replace("/rest/v1/", "");
    if (name === "rpc/module_enabled") return Response.json(!this.modulesOff.has((await request.json()).module));
    if (name === "rpc/schema_version") return Response.json("20260202090000");
    const body = request.method === "GET" ? undefined : await request.json();
    if (request.method === "POST") return this.post(name, url, request.headers.get("prefer") ?? "", body);
    const found = this.rows(name).filter((row) => matches(row, url.searchParams));
    if (request.method === "PATCH") found.forEach((row) => Object.assign(row, body));
    return Response.json(found.slice(0, Number(url.searchParams.get("limit") ?? found.length)));
  }

  private post(table: string, url: URL, prefer: string, body: Row | Row[]): Response {
    const onConflict = url.searchParams.get("on_conflict");
    const answered: Row[] = [];
    for (const row of Array.isArray(body) ? body : [body]) {
      const keys = ["id", ...(UNIQUE[table] ?? [])];
      const clash = keys.find((key) => row[key] != null && this.rows(table).some((old) => old[key] === row[key]));
      if (clash === undefined) answered.push(this.add(table, row));
      else if (clash !== onConflict) return Response.json({ code: "23505", message: `duplicate ${clash}` }, { status: 409 });
      else if (prefer.includes("merge-duplicates")) {
        answered.push(Object.assign(this.rows(table).find((old) => old[clash] === row[clash])!, row));
      }
    }
    return Response.json(answered, { status: 201 });
  }

  private async graph(request: Request, url: URL): Promise<Response> {
    const authorization = request.headers.get("authorization");
    this.graphCalls.push({ path: url.pathname, body: await request.json(), authorization });
    return Response.json(this.graphAnswer.body, { status: this.graphAnswer.status });
  }
}

function matches(row: Row, query: URLSearchParams): boolean {
  for (const [column, condition] of query) {
    if (NOT_FILTERS.includes(column)) continue;
    const value = row[column] ?? null;
    const [operator, ...rest] = condition.split(".");
    const operand = rest.join(".");
    const holds = operator === "eq"
      ? value !== null && String(value) === operand
      : operator === "is"
      ? value === null
      : operator === "not"
      ? value !== null
      : operator === "in"
      ? operand.slice(1, -1).split(",").includes(String(value))
      : operator === "gt"
      ? value !== null && String(value) > operand
      : operator === "lt"
      ? value !== null && (typeof value === "number" ? value < Number(operand) : String(value) < operand)
      : false;
    if (!holds) return false;
  }
  return true;
}

export function assert(condition: unknown, message = "assertion failed"): asserts condition {
  if (!condition) throw new Error(message);
}

export function assertEquals(actual: unknown, expected: unknown): void {
  const [left, right] = [actual, expected].map((value) => JSON.stringify(value));
  if (left !== right) throw new Error(`got ${left}\nexpected ${right}`);
}

export async function fixture(name: string): Promise<string> {
  return await Deno.readTextFile(new URL(`./fixtures/${name}.json`, import.meta.url));
}

/** A world of its own for one test: environment, database, and nothing left running afterwards. */
export function scene(name: string, play: (db: FakePostgrest) => Promise<void>): void {
  Deno.test(name, async () => {
    const db = new FakePostgrest();
    const settings = {
      SUPABASE_URL: db.url,
      SUPABASE_SERVICE_ROLE_KEY: "service-key",
      STUDIO_TIME_ZONE: "Europe/Lisbon",
      AMELIA_WEBHOOK_SECRET: "amelia-secret-of-thirty-two-characters",
      AMELIA_WEBHOOK_SECRET_PREVIOUS: "",
      WHATSAPP_APP_SECRET: "app-secret",
      WHATSAPP_APP_SECRET_PREVIOUS: "",
      WHATSAPP_VERIFY_TOKEN: "verify-me",
      WHATSAPP_TOKEN: "graph-token",
      WHATSAPP_API_BASE: `${db.url}/graph`,
      WHATSAPP_API_VERSION: "v23.0",
      WHATSAPP_PHONE_NUMBER_ID: "100000000000001",
      LOCKFLIGHT_RELEASE: "",
      DENO_DEPLOYMENT_ID: "ref_fn_1",
    };
    for (const [key, value] of Object.entries(settings)) Deno.env.set(key, value);
    const print = console.log;
    console.log = () => {};
    try {
      await play(db);
    } finally {
      console.log = print;
      await db.close();
    }
  });
}
