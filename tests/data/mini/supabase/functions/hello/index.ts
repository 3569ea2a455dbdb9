import { greet } from "../_shared/greet.ts";

Deno.serve(() => new Response(greet()));
