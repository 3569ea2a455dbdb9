// OFREP 0.3 over HTTP: one flag, or all that the caller may see.
//
//     POST …/ofrep/v1/evaluate/flags/{key}     POST …/ofrep/v1/evaluate/flags
//
// Browsers get values of flags with exposure "client" and nothing else: no rules, no metadata, the same answer for a
// flag that is not for them as for one that does not exist. A bulk answer's ETag is taken from what it says, so it also
// covers the context. Equal questions give the same bytes as `lockflight serve` gives.

import { callerOf, contextOf, isClean, Refusal } from "./caller.ts";
import type { Answer } from "./flag_set.ts";
import { byBytes } from "./flag_set.ts";
import type { Keeper, Kept } from "./keeper.ts";

const BODY_BYTES_MAX = 64 * 1024;
const ADDRESS = /\/ofrep\/v1\/evaluate\/flags(?:\/([^/]*))?$/;

const CORS = {
  "access-control-allow-origin": "*",
  "access-control-allow-methods": "POST, OPTIONS",
  "access-control-allow-headers": "authorization, content-type, if-none-match, x-api-key, apikey, x-client-info",
  "access-control-expose-headers": "ETag, Retry-After",
  "access-control-max-age": "86400",
};

function reply(status: number, body: string | null, headers: Record<string, string> = {}): Response {
  const type: Record<string, string> = body === null ? {} : { "content-type": "application/json" };
  return new Response(body, { status, headers: { ...CORS, "cache-control": "no-store", ...type, ...headers } });
}

// ---- reading ----

async function readBody(request: Request): Promise<Uint8Array> {
  const tooLarge = () => new Refusal(413, null, `a request has at most ${BODY_BYTES_MAX} bytes`);
  if (Number(request.headers.get("content-length") ?? 0) > BODY_BYTES_MAX) throw tooLarge();
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of request.body ?? []) {
    bytes += part.byteLength;
    if (bytes > BODY_BYTES_MAX) throw tooLarge();
    parts.push(part);
  }
  const whole = new Uint8Array(bytes);
  parts.reduce((at, part) => (whole.set(part, at), at + part.byteLength), 0);
  return whole;
}

function parse(body: Uint8Array): unknown {
  if (body.byteLength === 0) return {};
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(body));
  } catch {
    throw new Refusal(400, "INVALID_CONTEXT", "the body is not JSON");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value) || !isClean(value)) {
    throw new Refusal(400, "INVALID_CONTEXT", "the body is not an object with a context");
  }
  return value;
}

function keyIn(address: string): string {
  try {
    return decodeURIComponent(address);
  } catch {
    throw new Refusal(400, "INVALID_CONTEXT", "the flag's key is not percent-encoded");
  }
}

function versionAskedFor(url: URL): number {
  const given = /^"?(\d{1,15})"?$/.exec(url.searchParams.get("flagConfigEtag") ?? "");
  return given ? Number(given[1]) : 0;
}

function matches(condition: string | null, etag: string): boolean {
  return (condition ?? "").split(",").some((one) => one.trim() === "*" || one.trim().replace(/^W\//, "") === etag);
}

// ---- writing ----

/** Members in this order, so that equal answers have equal bytes. */
function answerText(key: string, answer: Answer, isForServer: boolean): string {
  const { reason, value, variant, errorCode, errorDetails, metadata } = answer;
  const members = Object.entries(metadata).sort(([left], [right]) => byBytes(left, right));
  const more = isForServer && members.length > 0 ? { metadata: Object.fromEntries(members) } : {};
  return errorCode
    ? JSON.stringify({ key, errorCode, errorDetails: isForServer ? errorDetails : undefined, ...more })
    : JSON.stringify({ key, reason, value, variant, ...more });
}

async function etagOf(text: string): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
  return `"${Array.from(digest.subarray(0, 8), (byte) => byte.toString(16).padStart(2, "0")).join("")}"`;
}

// ---- answering ----

async function all(request: Request, kept: Kept, body: unknown): Promise<Response> {
  const { flags, stale } = kept;
  const caller = callerOf(request.headers);
  const context = contextOf(caller, body, flags.snapshot.attributes);
  const isForServer = caller.kind === "server";
  const known = new Map<string, Answer>();
  const texts = flags.keys
    .filter((key) => isForServer || flags.isForBrowsers(key))
    .map((key) => answerText(key, flags.evaluate(key, context, known), isForServer));
  const array = `[${texts.join(",")}]`;
  const etag = await etagOf(array);
  if (matches(request.headers.get("if-none-match"), etag)) return reply(304, null, { etag });
  const metadata = JSON.stringify({ stale: stale || undefined, version: String(flags.version) });
  return reply(200, `{"flags":${array},"metadata":${metadata}}`, { etag });
}

function one(request: Request, kept: Kept, body: unknown, key: string): Response {
  const { flags } = kept;
  const caller = callerOf(request.headers);
  const context = contextOf(caller, body, flags.snapshot.attributes);
  const isForServer = caller.kind === "server";
  const answer: Answer = isForServer || flags.isForBrowsers(key)
    ? flags.evaluate(key, context)
    : { errorCode: "FLAG_NOT_FOUND", metadata: {} };
  const status = !answer.errorCode ? 200 : answer.errorCode === "FLAG_NOT_FOUND" ? 404 : 400;
  return reply(status, answerText(key, answer, isForServer));
}

async function answer(request: Request, keeper: Keeper): Promise<Response> {
  const url = new URL(request.url);
  const address = ADDRESS.exec(url.pathname);
  if (!address) throw new Refusal(404, null, "POST …/ofrep/v1/evaluate/flags is what is served here");
  if (request.method === "OPTIONS") return reply(204, null);
  if (request.method !== "POST") throw new Refusal(405, null, "only POST");
  const body = parse(await readBody(request));
  const kept = await keeper.current(versionAskedFor(url));
  if (!kept) throw new Refusal(503, "GENERAL", "the flags could not be read yet");
  return address[1] ? one(request, kept, body, keyIn(address[1])) : await all(request, kept, body);
}

export function handlerOf(keeper: Keeper): (request: Request) => Promise<Response> {
  return async (request) => {
    try {
      return await answer(request, keeper);
    } catch (error) {
      const { status, errorCode, message } = error instanceof Refusal ? error : new Refusal(500, "GENERAL", "internal error");
      if (!(error instanceof Refusal)) console.error(JSON.stringify({ fn: "flags", event: "error", message: String(error) }));
      const body = JSON.stringify({ errorCode: errorCode ?? undefined, errorDetails: message });
      return reply(status, body, status === 503 ? { "retry-after": "2" } : {});
    }
  };
}
