import { handlerOf } from "../../supabase/functions/flags/handler.ts";
import { Keeper } from "../../supabase/functions/flags/keeper.ts";
import type { Snapshot } from "../../supabase/functions/flags/snapshot.ts";
import { assert, assertEquals } from "./postgrest.ts";

const ANON: unknown = { role: "anon" };
const BULK = "http://host/flags/ofrep/v1/evaluate/flags";

function snapshot(v = 812): Snapshot {
  const off = { on: true, off: false };
  return {
    v,
    next: null,
    document: {
      metadata: { version: String(v) },
      $evaluators: { staff: { ends_with: [{ var: ["email", ""] }, "@studio.example"] } },
      flags: {
        crm: { state: "ENABLED", variants: off, defaultVariant: "on", metadata: { owner: "sales" } },
        beta: { state: "ENABLED", variants: off, defaultVariant: "off", targeting: { if: [{ $ref: "staff" }, "on", "off"] } },
        half: { state: "ENABLED", variants: { já: "sim", não: "nein" }, defaultVariant: "não", targeting: { fractional: [{ var: "targetingKey" }, ["já", 50], ["não", 50]] } },
        plan: { state: "ENABLED", variants: off, defaultVariant: "off", targeting: { if: [{ "==": [{ var: "plan" }, "pro"] }, "on", "off"] } },
        financial: { state: "ENABLED", variants: off, defaultVariant: "on", offVariant: "off", requires: [{ flag: "crm", variant: "off" }] },
        gone: { state: "DISABLED", variants: off, defaultVariant: "on" },
        secret: { state: "ENABLED", variants: off, defaultVariant: "on" },
        odd: { state: "ENABLED", variants: off, defaultVariant: "on", targeting: { nonsense: [1] } },
      },
    },
    flags: {
      crm: { exposure: "client" },
      beta: { exposure: "client" },
      half: { exposure: "client" },
      plan: { exposure: "client" },
      financial: { exposure: "client" },
      gone: { exposure: "client" },
      secret: { exposure: "server" },
      odd: { exposure: "server" },
    },
    attributes: { email: { type: "string" }, plan: { type: "string", trusted: true }, seats: { type: "number" }, groups: { type: "list" } },
  };
}

class World {
  ms = 1_764_070_000_000;
  database: Snapshot | null = snapshot();
  questions: (number | null)[] = [];
  private readonly handle = handlerOf(
    new Keeper((known) => {
      this.questions.push(known);
      if (!this.database) return Promise.reject(new Error("database is away"));
      return Promise.resolve(this.database.v === known ? null : this.database);
    }, () => this.ms),
  );

  post(context: unknown, { token = ANON, address = BULK, headers = {} }: { token?: unknown; address?: string; headers?: HeadersInit } = {}) {
    const authorization = `Bearer e30.${btoa(JSON.stringify(token)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "")}.x`;
    const body = typeof context === "string" || context instanceof Uint8Array ? context as BodyInit : JSON.stringify({ context });
    return this.handle(new Request(address, { method: "POST", headers: { authorization, ...headers }, body }));
  }

  // deno-lint-ignore no-explicit-any
  async flags(context: unknown, token: unknown = ANON): Promise<any> {
    const { flags, metadata } = await (await this.post(context, { token })).json();
    // deno-lint-ignore no-explicit-any
    return { ...Object.fromEntries(flags.map((flag: any) => [flag.key, flag])), metadata };
  }

  ask(method: string, address = BULK) {
    return this.handle(new Request(address, { method }));
  }
}

const USER = { role: "authenticated", sub: "u1", app_metadata: { plan: "pro" } };
const SERVER = { role: "service_role" };

function world(name: string, play: (world: World) => Promise<void>) {
  Deno.test(name, async () => {
    const complain = console.error;
    console.error = () => {};
    try {
      await play(new World());
    } finally {
      console.error = complain;
    }
  });
}

world("a browser gets the values of client flags, sorted, and nothing else", async (w) => {
  const text = await (await w.post({ targetingKey: "u1" }, { token: ANON })).text();
  assertEquals(text.slice(0, 161), '{"flags":[{"key":"beta","reason":"TARGETING_MATCH","value":false,"variant":"off"},{"key":"crm","reason":"STATIC","value":true,"variant":"on"},{"key":"financial",');
  assert(!/metadata":\{"(?!version)|owner|secret|odd|errorDetails/.test(text), text);
  assert(text.endsWith('"metadata":{"version":"812"}}'), text);
});

world("a server gets all of them, with metadata and details", async (w) => {
  const flags = await w.flags({}, SERVER);
  assertEquals(flags.secret.value, true);
  assertEquals(flags.crm.metadata, { owner: "sales", version: "812" });
  assertEquals(flags.odd.errorCode, "PARSE_ERROR");
  assert(flags.odd.errorDetails.length > 0);
});

world("what is not for browsers answers as what does not exist", async (w) => {
  const ask = async (key: string, token: unknown) => {
    const answer = await w.post({}, { token, address: `${BULK}/${key}` });
    return [answer.status, await answer.text()];
  };
  assertEquals(await ask("secret", USER), [404, '{"key":"secret","errorCode":"FLAG_NOT_FOUND"}']);
  assertEquals(await ask("nothing", USER), [404, '{"key":"nothing","errorCode":"FLAG_NOT_FOUND"}']);
  assertEquals(await ask("crm", ANON), [200, '{"key":"crm","reason":"STATIC","value":true,"variant":"on"}']);
  assertEquals((await ask("secret", SERVER))[0], 200);
  assertEquals((await ask("%E0%A4%A", ANON))[0], 400);
});

world("trusted attributes come from the token alone", async (w) => {
  assertEquals((await w.flags({ plan: "pro" }, ANON)).plan.value, false);
  assertEquals((await w.flags({ plan: "free" }, USER)).plan.value, true);
  assertEquals((await w.flags({ plan: "pro" }, SERVER)).plan.value, true);
  assertEquals((await w.flags({ targetingKey: "somebody else" }, USER)).half, (await w.flags({}, USER)).half);
});

world("an attribute of another type than declared is dropped", async (w) => {
  assertEquals((await w.flags({ email: "a@studio.example" })).beta.value, true);
  for (const email of [null, 1, {}, ["a@studio.example"]]) assertEquals((await w.flags({ email })).beta.value, false);
});

world("shares are those of UTF-8, and variants keep their names", async (w) => {
  const buckets = { "": 0, hello: 14, "SI7p-": 49, "6LvT0": 50, ceQdGm: 99, "jon@company.com": 36, é: 6, 日本: 76, "😀": 74 };
  for (const [targetingKey, bucket] of Object.entries(buckets)) {
    const expected = bucket < 50 ? ["já", "sim"] : ["não", "nein"];
    const { variant, value } = (await w.flags({ targetingKey }, SERVER)).half;
    assertEquals([targetingKey, variant, value], [targetingKey, ...expected]);
  }
});

world("an unmet prerequisite serves the off variant", async (w) => {
  assertEquals((await w.flags({})).financial.value, false);
  w.database!.document.flags.crm.defaultVariant = "off";
  w.database!.v = 813;
  w.ms += 2_000;
  assertEquals((await w.flags({})).financial.value, true);
});

world("a disabled flag is a success without a value", async (w) => {
  assertEquals((await w.flags({})).gone, { key: "gone", reason: "DISABLED" });
});

world("the ETag covers the context, and 304 has no body", async (w) => {
  const first = await w.post({}, { token: ANON });
  const etag = first.headers.get("etag")!;
  assert(/^"[0-9a-f]{16}"$/.test(etag), etag);
  const again = await w.post({}, { token: ANON, headers: { "if-none-match": `"x", W/${etag}` } });
  assertEquals([again.status, await again.text(), again.headers.get("etag")], [304, "", etag]);
  assertEquals((await w.post({}, { token: ANON, headers: { "if-none-match": "*" } })).status, 304);
  assertEquals((await w.post({ email: "a@studio.example" }, { token: ANON, headers: { "if-none-match": etag } })).status, 200);
});

world("browsers of other origins may ask and may read the ETag", async (w) => {
  const answer = await w.ask("OPTIONS");
  assertEquals([answer.status, answer.headers.get("access-control-allow-origin")], [204, "*"]);
  for (const header of ["authorization", "content-type", "if-none-match"]) assert(answer.headers.get("access-control-allow-headers")!.includes(header));
  assert((await w.post({})).headers.get("access-control-expose-headers")!.includes("ETag"));
});

world("what cannot be read is refused with a reason", async (w) => {
  const status = async (body: unknown) => (await w.post(body)).status;
  assertEquals(await status(""), 200);
  assertEquals(await status("{}"), 200);
  assertEquals(await status("{"), 400);
  assertEquals(await status("[]"), 400);
  assertEquals(await status('{"context":[]}'), 400);
  assertEquals(await status({ targetingKey: 7 }), 400);
  assertEquals(await status('{"context":{"email":"\\ud800"}}'), 400);
  assertEquals(await status('{"context":{"seats":9007199254740993}}'), 400);
  assertEquals((await w.post({}, { token: { role: "somebody" } })).status, 403);
  assertEquals(await status('{"context":{"email":"a\\u0000"}}'), 400);
  assertEquals(await status(new Uint8Array([0x22, 0xff, 0x22])), 400);
  assertEquals(await status({ email: "x".repeat(64 * 1024) }), 413);
  assertEquals((await w.ask("GET")).status, 405);
  assertEquals((await w.ask("POST", "http://host/flags/other")).status, 404);
});

world("the database is asked at most every two seconds, and only for what is new", async (w) => {
  for (let i = 0; i < 5; i++) await w.flags({});
  assertEquals(w.questions, [null]);
  w.ms += 1_999;
  await w.flags({});
  w.ms += 1;
  await Promise.all([w.flags({}), w.flags({}), w.flags({})]);
  assertEquals(w.questions, [null, 812]);
});

world("a version that the caller knows of is fetched at once; one that does not exist only once", async (w) => {
  await w.flags({});
  w.database = snapshot(813);
  const { metadata } = await (await w.post({}, { address: `${BULK}?flagConfigEtag=813` })).json();
  assertEquals(metadata.version, "813");
  for (let i = 0; i < 5; i++) await w.post({}, { address: `${BULK}?flagConfigEtag=999999` });
  assertEquals(w.questions, [null, 812, 813, 813]);
});

world("a schedule that fell due is fetched without a new version", async (w) => {
  w.database!.next = w.ms / 1000 + 1;
  await w.flags({});
  const later = snapshot();
  later.document.flags.crm.defaultVariant = "off";
  w.database = later;
  w.ms += 999;
  assertEquals((await w.flags({})).crm.value, true);
  w.ms += 1;
  assertEquals((await w.flags({})).crm.value, false);
  assertEquals(w.questions, [null, null]);
});

world("with the database away for a day, answers go on and are called stale", async (w) => {
  const before = await w.post({ targetingKey: "u1" });
  w.database = null;
  w.ms += 24 * 3600 * 1000;
  const { flags, metadata } = await (await w.post({ targetingKey: "u1" })).json();
  assertEquals([flags, metadata], [(await before.json()).flags, { stale: true, version: "812" }]);
  w.database = snapshot(813);
  w.ms += 2_000;
  assertEquals((await w.flags({})).metadata, { version: "813" });
});

world("flags that cannot be read do not replace those that could", async (w) => {
  await w.flags({});
  w.database = { ...snapshot(813), document: { flags: { crm: { state: "SOMETIMES" as never, variants: { on: true } } } } };
  w.ms += 2_000;
  const { crm, metadata } = await w.flags({});
  assertEquals([crm.value, metadata], [true, { stale: true, version: "812" }]);
});

world("a database that never answered is 503, with a time to come back", async (w) => {
  w.database = null;
  const answer = await w.post({});
  assertEquals([answer.status, answer.headers.get("retry-after")], [503, "2"]);
});
