// Feature flags through OpenFeature, asked over OFREP. What a flag is for this person comes ready-made: rules stay on the
// server. Changes arrive while the page is open: pushed where the server can push, else asked for every minute and whenever
// the tab is looked at again.
//
// FIRST PAINT  What this browser was told last time, else what the release carries (`flags` in /_lockflight/env.js), else
//              what the code says. Whoever was never told anything waits for the first answer, but not long.

import { OpenFeature, ProviderEvents, type Client } from "@openfeature/web-sdk";
import { OFREPWebProvider } from "@openfeature/ofrep-web-provider";
import { supabase } from "./data/client";
import { environment } from "./env";

const POLL_MS = 60_000;
const FIRST_ANSWER_MS = 2_500;
const VISITOR_DAYS = 365;
const VISITOR = "studio.visitor";

/** A random name for this browser, before anybody signs in; forgotten after a year. */
export function visitor(storage: Pick<Storage, "getItem" | "setItem">, now: number): string {
  try {
    const [id, since] = (storage.getItem(VISITOR) ?? "").split(" ");
    if (id && Number(since) > now - VISITOR_DAYS * 86_400_000) return id;
    const fresh = crypto.randomUUID();
    storage.setItem(VISITOR, `${fresh} ${now}`);
    return fresh;
  } catch {
    return crypto.randomUUID(); // no storage in this browser: a new visitor each time
  }
}

async function token(): Promise<string> {
  const { data } = await supabase.auth.getSession();
  return data.session?.access_token ?? environment!.supabaseAnonKey;
}

let client: Client | undefined;

/** The flag as the server last said, or `otherwise`. */
export function flag(key: string, otherwise: boolean): boolean {
  const carried = environment?.flags[key] ?? otherwise;
  return client ? client.getBooleanValue(key, carried) : carried;
}

/** Answers when there is something to go by. `changed` is called whenever an answer may be another one. */
export function startFlags(changed: () => void): Promise<void> {
  if (!environment?.flagsUrl) return Promise.resolve();
  const anonymous = { targetingKey: visitor(localStorage, Date.now()) };
  const provider = new OFREPWebProvider({
    baseUrl: environment.flagsUrl,
    pollInterval: POLL_MS,
    timeoutMs: 8_000,
    headersFactory: async () => [["authorization", `Bearer ${await token()}`]],
    cacheKeyGenerator: ({ url, targetingKey }) => `${url} ${targetingKey}`, // tokens change every hour, people do not
  });
  client = OpenFeature.getClient();
  for (const event of [ProviderEvents.Ready, ProviderEvents.ConfigurationChanged, ProviderEvents.ContextChanged]) {
    client.addHandler(event, changed);
  }
  const first = supabase.auth.getSession().then(({ data }) => {
    const user = data.session?.user.id;
    return OpenFeature.setProviderAndWait(provider, user ? { targetingKey: user } : anonymous);
  });
  let known: string | undefined;
  supabase.auth.onAuthStateChange((_event, session) => {
    const user = session?.user.id;
    if (user === known) return;
    known = user;
    first.catch(() => {}).then(() => OpenFeature.setContext(user ? { targetingKey: user } : anonymous)).catch(() => {});
  });
  const enough = new Promise<void>((resolve) => setTimeout(resolve, FIRST_ANSWER_MS));
  return Promise.race([first.catch(() => {}), enough]);
}
