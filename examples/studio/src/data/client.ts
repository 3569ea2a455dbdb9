import { createClient, type SupabaseClient } from "@supabase/supabase-js";
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { environment } from "../env";

export const supabase: SupabaseClient = environment
  ? createClient(environment.supabaseUrl, environment.supabaseAnonKey)
  : (null as unknown as SupabaseClient);

const SENTENCES: Record<string, string> = {
  "23P01": "That time is already taken for this member of staff.",
  "23503": "Something else still refers to this, so it cannot be removed.",
  "23505": "That is in use already.",
  "42501": "You are not allowed to do that.",
  PGRST301: "Your session has ended. Sign in again.",
};

export class DataError extends Error {}

interface Answer<T> {
  data: T | null;
  error: { code?: string; message: string } | null;
}

/** Unwraps an answer of supabase-js; a failure becomes a sentence that a person can act on. */
export async function ask<T>(question: PromiseLike<Answer<unknown>>): Promise<T> {
  const { data, error } = await question;
  if (!error) return data as T;
  if (/fetch/i.test(error.message)) throw new DataError("The studio's server cannot be reached. Check the connection and try again.");
  throw new DataError(SENTENCES[error.code ?? ""] ?? error.message);
}

export interface Query<T> {
  data: T | undefined;
  error: string | undefined;
  loading: boolean;
  reload(): void;
}

/**
 * Runs `load` now and whenever `inputs` change. Late answers to earlier questions are dropped. `reload` asks with the
 * newest inputs, whichever rendering it was taken from.
 */
export function useQuery<T>(load: () => Promise<T>, inputs: unknown[]): Query<T> {
  const [state, setState] = useState<{ data?: T; error?: string; loading: boolean }>({ loading: true });
  const latest = useRef(0);
  const newest = useRef(load);
  newest.current = load;
  const run = useCallback(() => {
    const ticket = ++latest.current;
    setState((before) => ({ ...before, loading: true, error: undefined }));
    newest.current().then(
      (data) => ticket === latest.current && setState({ data, loading: false }),
      (problem) => ticket === latest.current && setState({ error: String(problem?.message ?? problem), loading: false }),
    );
  }, []);
  useEffect(() => {
    run();
    return () => void latest.current++;
  }, inputs);
  return { data: state.data, error: state.error, loading: state.loading, reload: run };
}
