// https://deno.land/std@…/http/server.ts of old functions: `serve` over Deno's own.
export function serve(handler, options = {}) {
  return Deno.serve(options, handler).finished;
}
