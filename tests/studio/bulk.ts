// The Edge Function and the program give the same bytes: 10,000 contexts, callers of each kind, over documents by chance
// whose rules are portable and whose flags require one another. Names that are not ASCII are among them.
//
//     deno run … tests/studio/bulk.ts PROBE        LOCKFLIGHT_SEED repeats a run
import { Buffer } from "node:buffer";
import random from "../clients/flags/random.cjs";
import { handlerOf } from "../../examples/studio/supabase/functions/flags/handler.ts";
import { Keeper } from "../../examples/studio/supabase/functions/flags/keeper.ts";

const DOCUMENTS = 50;
const CONTEXTS = 200;
const BULK = "http://host/flags/ofrep/v1/evaluate/flags";
const seed = Number(Deno.env.get("LOCKFLIGHT_SEED")) || 20261125;
const r = random.randomFrom(seed);

// deno-lint-ignore no-explicit-any
type Value = any;
interface Line {
  kind: string;
  sub?: string;
  facts?: Value;
  body: string;
}

const letters = ["a", "b", "ã", "é", "ß", "Ω", "я", "日", "本", "😀", "e\u0301", "0", "-", "_"];
const name = () => Array.from({ length: 1 + r.below(12) }, () => r.pick(letters)).join("");

function snapshot(v: number): Value {
  const document = random.requiresDocument(r);
  document.metadata = { version: String(v), "10": true, "9": 1.50, "clé": "é" };
  const flags: Value = {};
  for (const key of Object.keys(document.flags)) {
    flags[key] = { exposure: r.pick(["client", "client", "server", "db"]), kind: "release" };
    if (r.chance(30)) document.flags[key].metadata = { owner: r.pick(["ana", "zoë"]), weight: r.pick([0.1, 1e-7, 12345678.9, 7]) };
  }
  for (const { variants } of Object.values<Value>(document.flags)) if ("big" in variants) variants.big = 2 ** 53 - 1; // more is refused
  return { v, next: null, document, flags, attributes: random.attributes };
}

function line(): Line {
  const context = random.context(r);
  if (r.chance(70)) context.targetingKey = name();
  if (r.chance(10)) context.app = r.pick(["vv1.2.3", " 1.2.3", "1.2.3 ", "v1.2.3\n", "V1.2", "1.2.3-ü", "v", "9".repeat(257)]);
  const kind = r.pick(["anonymous", "user", "server"]);
  const user = kind === "user" ? { sub: name(), facts: random.context(r) } : {};
  return { kind, ...user, body: r.chance(2) ? r.pick(["", "{}", '{"context":null}']) : JSON.stringify({ context }) };
}

// Each is refused by both, or by none.
const hostile = [
  "{", "[]", "7", '{"context":[]}', '{"context":"x"}', '{"context":{"targetingKey":7}}', '{"context":{"targetingKey":null}}',
  '{"context":{"a":"\\ud800"}}', '{"context":{"a\\u0000":1}}', '{"context":{"seats":9007199254740993}}', '{"context":{"seats":1e999}}',
  '{"context":{"a":[1e300]}}', '{"context":{"$flagd":{"flagKey":"x"}}}', '{"context":{"__proto__":{"beta":true}}}', '{"a":1,"b":[[[]]]}',
].map((body) => ({ kind: "anonymous", body }));

const encoded = (value: Value) => Buffer.from(JSON.stringify(value), "utf8").toString("base64url");
const ROLES: Record<string, string> = { anonymous: "anon", user: "authenticated", server: "service_role" };

async function ours(handle: (request: Request) => Promise<Response>, { kind, sub, facts, body }: Line) {
  const authorization = `Bearer e30.${encoded({ role: ROLES[kind], sub, app_metadata: facts })}.x`;
  const answer = await handle(new Request(BULK, { method: "POST", headers: { authorization }, body }));
  const text = await answer.text();
  return `${answer.status} ${answer.headers.get("etag") ?? ""} ${text}`;
}

const probe = new Deno.Command(Deno.args[0], { args: ["bulk"], stdin: "piped", stdout: "piped" }).spawn();
const writer = probe.stdin.getWriter();
const theirs = probe.stdout.pipeThrough(new TextDecoderStream()).getReader();
let rest = "";
async function nextLine(): Promise<string> {
  for (;;) {
    const end = rest.indexOf("\n");
    if (end >= 0) {
      const found = rest.slice(0, end);
      rest = rest.slice(end + 1);
      return found;
    }
    const { value, done } = await theirs.read();
    if (done) throw new Error("the probe ended");
    rest += value;
  }
}

const batches = Array.from({ length: DOCUMENTS }, (_, v) => ({
  snapshot: snapshot(v + 1),
  lines: [...Array.from({ length: CONTEXTS }, line), ...(v === 0 ? hostile : [])],
}));
const sending = (async () => {
  for (const { snapshot, lines } of batches) {
    await writer.write(new TextEncoder().encode([{ snapshot }, ...lines].map((one) => JSON.stringify(one) + "\n").join("")));
  }
  await writer.close();
})();

let compared = 0, bytes = 0, differing = 0, judged = 0;
const seen = new Set<string>();
for (const { snapshot, lines } of batches) {
  const handle = handlerOf(new Keeper(() => Promise.resolve(snapshot)));
  const taken = await nextLine();
  if (taken !== "ok") throw new Error(`the program does not take the snapshot: ${taken} ${JSON.stringify(snapshot)}`);
  for (const one of lines) {
    const [mine, other] = [await ours(handle, one), await nextLine()];
    for (const reason of mine.matchAll(/"(?:reason|errorCode)":"(\w+)"|"(prerequisite)"/g)) seen.add(reason[1] ?? reason[2]);
    const isRefused = mine.startsWith("400");
    if (isRefused ? other.startsWith("400") : mine === other) {
      if (isRefused) judged++;
      else compared++;
      bytes += mine.length;
      continue;
    }
    if (differing++ < 3) console.log(`# ${JSON.stringify(one)}\n# function ${mine}\n# program  ${other}\n# of ${JSON.stringify(snapshot).slice(0, 2000)}`);
  }
}
await sending;
console.log("1..2");
console.log(`${differing === 0 && compared >= 10_000 ? "ok" : "not ok"} 1 - ${compared} answers of the Edge Function are the program's, byte by byte (${bytes} bytes, seed ${seed}, ${differing} differ)`);
const wanted = ["STATIC", "DEFAULT", "TARGETING_MATCH", "DISABLED", "prerequisite"];
const missing = wanted.filter((reason) => !seen.has(reason));
console.log(`${missing.length === 0 && judged >= 8 ? "ok" : "not ok"} 2 - every reason came up, and ${judged} hostile bodies were refused by both ${missing}`);
Deno.exit(differing || missing.length ? 1 : 0);
