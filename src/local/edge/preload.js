// Loaded before every Edge Function: what the hosted runtime has and plain Deno has not.
{
  const pending = new Set();
  globalThis.EdgeRuntime = Object.freeze({
    // Work that goes on after the answer. The process is not ended before it is done.
    waitUntil(promise) {
      const settled = Promise.resolve(promise)
        .catch((error) => console.error("background task failed:", error))
        .finally(() => pending.delete(settled));
      pending.add(settled);
      return promise;
    },
  });
  Deno.addSignalListener("SIGTERM", async () => {
    globalThis.dispatchEvent(new Event("beforeunload"));
    while (pending.size) await Promise.allSettled([...pending]);
    Deno.exit(0);
  });
}
