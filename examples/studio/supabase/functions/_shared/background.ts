import { log } from "./http.ts";

const running = new Set<Promise<void>>();

/** Goes on after the answer is sent; the platform keeps the worker alive for it where it can. */
export function inBackground(name: string, work: () => Promise<void>): void {
  const task = work().catch((error) => log(name, "background_error", { message: String(error?.message ?? error) }));
  running.add(task);
  task.finally(() => running.delete(task));
  const runtime = (globalThis as { EdgeRuntime?: { waitUntil?: (task: Promise<unknown>) => void } }).EdgeRuntime;
  runtime?.waitUntil?.(task);
}

export async function backgroundDone(): Promise<void> {
  while (running.size > 0) await Promise.all(running);
}
