// Feature flags over OFREP, the OpenFeature Remote Evaluation Protocol, from this project's own database.
//
// Deployed with verify_jwt = true: Supabase checks the signature of each caller's token before this code runs, and
// caller.ts reads from it who asks. Never deploy it without.

import { handlerOf } from "./handler.ts";
import { Keeper } from "./keeper.ts";
import { askDatabase } from "./snapshot.ts";

Deno.serve(handlerOf(new Keeper(askDatabase)));
