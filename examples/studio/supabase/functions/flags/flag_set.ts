// The flags of one snapshot, made ready for evaluation by @openfeature/flagd-core.
//
// LIFTED   flagd-core hashes UTF-16 units where all other engines hash the bytes of UTF-8, so that somebody called
//          "é" would fall into another share of a percentage. Every text of rules and contexts therefore goes in as one
//          character for each of its bytes; for ASCII that changes nothing. Variants are led back by giving each one its
//          own name as its value.
//
// OURS     {"$ref"} is put in on the tree, prerequisites ("requires", "offVariant") are evaluated here; flagd-core knows
//          neither the way we mean it.

import { FlagdCore } from "@openfeature/flagd-core";
import type { Flag, Scalar, Snapshot } from "./snapshot.ts";

export interface Answer {
  reason?: string;
  value?: unknown;
  variant?: string;
  errorCode?: "FLAG_NOT_FOUND" | "PARSE_ERROR" | "GENERAL";
  errorDetails?: string;
  metadata: Record<string, Scalar>;
}

export type Context = Record<string, unknown>;

const quiet = { error() {}, warn() {}, info() {}, debug() {} };
const encoder = new TextEncoder();

export function lift(text: string): string {
  // deno-lint-ignore no-control-regex
  if (/^[\x00-\x7f]*$/.test(text)) return text;
  let lifted = "";
  for (const byte of encoder.encode(text)) lifted += String.fromCharCode(byte);
  return lifted;
}

export function liftAll(value: unknown): unknown {
  if (typeof value === "string") return lift(value);
  if (Array.isArray(value)) return value.map(liftAll);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [lift(key), liftAll(inner)]));
}

/** By the bytes of UTF-8. */
export function byBytes(left: string, right: string): number {
  const [a, b] = [lift(left), lift(right)];
  return a < b ? -1 : a > b ? 1 : 0;
}

/** A name that nobody defined stays, and makes its flag a PARSE_ERROR as an unknown operator does. */
function withoutRefs(rule: unknown, evaluators: Record<string, unknown>): unknown {
  if (Array.isArray(rule)) return rule.map((inner) => withoutRefs(inner, evaluators));
  if (typeof rule !== "object" || rule === null) return rule;
  const members = Object.entries(rule);
  const [operator, name] = members[0] ?? [];
  if (members.length === 1 && operator === "$ref" && typeof name === "string" && Object.hasOwn(evaluators, name)) {
    return evaluators[name];
  }
  return Object.fromEntries(members.map(([key, inner]) => [key, withoutRefs(inner, evaluators)]));
}

export class FlagSet {
  readonly version: number;
  readonly next: number | null;
  readonly keys: string[];
  private readonly core = new FlagdCore(undefined, quiet, { disableDynamicCodeGeneration: true });

  constructor(readonly snapshot: Snapshot) {
    const { flags, $evaluators = {} } = snapshot.document;
    this.version = snapshot.v;
    this.next = snapshot.next;
    this.keys = Object.keys(flags).sort(byBytes);
    const lifted = Object.entries(flags).map(([key, flag]) => [lift(key), {
      state: flag.state,
      variants: Object.fromEntries(Object.keys(flag.variants).map((name) => [lift(name), name])),
      defaultVariant: typeof flag.defaultVariant === "string" ? lift(flag.defaultVariant) : undefined,
      targeting: liftAll(withoutRefs(flag.targeting ?? {}, $evaluators)),
    }]);
    this.core.setConfigurations(JSON.stringify({ flags: Object.fromEntries(lifted) }));
  }

  isForBrowsers(key: string): boolean {
    return this.snapshot.flags[key]?.exposure === "client";
  }

  /** `known` keeps what was answered before in the same request; `context` is lifted. */
  evaluate(key: string, context: Context, known: Map<string, Answer> = new Map()): Answer {
    const before = known.get(key);
    if (before) return before;
    const flag = Object.hasOwn(this.snapshot.document.flags, key) ? this.snapshot.document.flags[key] : undefined;
    const metadata = { ...this.snapshot.document.metadata, ...flag?.metadata };
    if (!flag) return { errorCode: "FLAG_NOT_FOUND", errorDetails: "there is no flag of this key", metadata };
    known.set(key, { errorCode: "GENERAL", errorDetails: "it requires itself", metadata });
    const answer = this.answer(key, flag, metadata, context, known);
    known.set(key, answer);
    return answer;
  }

  private answer(key: string, flag: Flag, metadata: Answer["metadata"], context: Context, known: Map<string, Answer>): Answer {
    if (flag.state === "DISABLED") return { reason: "DISABLED", metadata };
    for (const { flag: other, variant } of flag.requires ?? []) {
      if (this.evaluate(other, context, known).variant === variant) continue;
      const off = flag.offVariant!;
      return { reason: "TARGETING_MATCH", value: flag.variants[off], variant: off, metadata: { ...metadata, prerequisite: other } };
    }
    const found = this.core.getFlag(lift(key))!.evaluate(context as never, quiet);
    if (found.errorCode) {
      const isParsing = String(found.errorCode) === "PARSE_ERROR";
      const errorDetails = isParsing ? "its rule cannot be read" : "its rule failed";
      return { errorCode: isParsing ? "PARSE_ERROR" : "GENERAL", errorDetails, metadata };
    }
    const name = found.value as string | undefined;
    if (name === undefined) return { reason: found.reason, metadata };
    return { reason: found.reason, value: flag.variants[name], variant: name, metadata };
  }
}
