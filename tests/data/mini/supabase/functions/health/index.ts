Deno.serve(() => Response.json({ ok: true, release: Deno.env.get("LOCKFLIGHT_RELEASE") ?? null }));
