// Who asks, and what may be believed of the context they send.
//
// The token's signature was checked before us (verify_jwt = true). A visitor comes with the project's public key (role
// anon), a signed-in user with their own token, another server with the service role key.

import type { Context } from "./flag_set.ts";
import { liftAll } from "./flag_set.ts";
import type { Attribute } from "./snapshot.ts";

export interface Caller {
  kind: "anonymous" | "user" | "server";
  user?: string;
  facts: Record<string, unknown>; // what only the project itself can write about a user
}

export class Refusal extends Error {
  constructor(readonly status: number, readonly errorCode: string | null, message: string) {
    super(message);
  }
}

function own(object: unknown, name: string): unknown {
  return typeof object === "object" && object !== null && Object.hasOwn(object, name)
    ? (object as Record<string, unknown>)[name]
    : undefined;
}

function payloadOf(token: string): unknown {
  try {
    const base64 = token.split(".")[1].replace(/-/g, "+").replace(/_/g, "/");
    return JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(base64), (char) => char.charCodeAt(0))));
  } catch {
    return null;
  }
}

export function callerOf(headers: Headers): Caller {
  const token = /^Bearer\s+(\S+)$/i.exec(headers.get("authorization") ?? "")?.[1] ?? "";
  const payload = payloadOf(token);
  const role = own(payload, "role");
  const user = own(payload, "sub");
  if (payload === null || role === "anon") return { kind: "anonymous", facts: {} };
  if (role === "service_role") return { kind: "server", facts: {} };
  if (role !== "authenticated" || typeof user !== "string" || !user) {
    throw new Refusal(403, null, "the token's role may not ask for flags");
  }
  return { kind: "user", user, facts: (own(payload, "app_metadata") ?? {}) as Record<string, unknown> };
}

const FITS: Record<Attribute["type"], (value: unknown) => boolean> = {
  string: (value) => typeof value === "string",
  version: (value) => typeof value === "string" && /^[vV]?[0-9][0-9A-Za-z.+-]*$/.test(value) && value.length <= 256,
  number: (value) => typeof value === "number" && isClean(value),
  boolean: (value) => typeof value === "boolean",
  list: (value) => Array.isArray(value) && value.every((item) => typeof item === "string"),
};

/** No half characters, no NUL, no number that JavaScript's cannot hold: nothing that two engines could read differently. */
export function isClean(value: unknown): boolean {
  if (typeof value === "string") return !/\0|\p{Surrogate}/u.test(value);
  if (typeof value === "number") return Math.abs(value) <= Number.MAX_SAFE_INTEGER;
  if (typeof value !== "object" || value === null) return true;
  return Object.entries(value).every(([key, inner]) => isClean(key) && isClean(inner));
}

/** Declared attributes of the declared type, each from where it may come from; ready for evaluation. */
export function contextOf(caller: Caller, body: unknown, attributes: Record<string, Attribute>): Context {
  const given = own(body, "context") ?? {};
  const key = own(given, "targetingKey") ?? undefined;
  if (typeof given !== "object" || Array.isArray(given)) throw new Refusal(400, "INVALID_CONTEXT", "the context is not an object");
  if (key !== undefined && typeof key !== "string") throw new Refusal(400, "INVALID_CONTEXT", "targetingKey is not text");
  const context: Context = {};
  for (const [name, { type, trusted }] of Object.entries(attributes)) {
    const value = !trusted || caller.kind === "server" ? own(given, name) : own(caller.facts, name);
    if (name !== "$flagd" && FITS[type]?.(value)) context[name] = value;
  }
  const unit = caller.user ?? key;
  if (unit === undefined) delete context.targetingKey;
  else context.targetingKey = unit;
  return liftAll(context) as Context;
}
