import { hmacHex, sameSecret, uuidFrom } from "../../supabase/functions/_shared/crypto.ts";
import { normalisePhone } from "../../supabase/functions/_shared/phone.ts";
import { wallTimeToInstant } from "../../supabase/functions/_shared/time.ts";
import { assert, assertEquals } from "./postgrest.ts";

Deno.test("telephone numbers become E.164 or nothing", () => {
  assertEquals(normalisePhone("912 345 601", "pt"), "+351912345601");
  assertEquals(normalisePhone("0044 7700 900507"), "+447700900507");
  assertEquals(normalisePhone("07700 900507", "gb"), "+447700900507");
  assertEquals(normalisePhone("+39 06 1234 5678"), "+390612345678");
  assertEquals(normalisePhone("12"), null);
  assertEquals(normalisePhone(null), null);
});

Deno.test("wall time follows summer time", () => {
  assertEquals(wallTimeToInstant("2026-01-15 09:00:00", "Europe/Lisbon"), "2026-01-15T09:00:00.000Z");
  assertEquals(wallTimeToInstant("2026-07-15 09:00:00", "Europe/Lisbon"), "2026-07-15T08:00:00.000Z");
  assertEquals(wallTimeToInstant("2026-07-15 09:00:00", "America/New_York"), "2026-07-15T13:00:00.000Z");
});

Deno.test("HMAC is the one of RFC 4231, case 2", async () => {
  const digest = await hmacHex("Jefe", new TextEncoder().encode("what do ya want for nothing?"));
  assertEquals(digest, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
});

Deno.test("secrets are compared whole", async () => {
  assert(await sameSecret("abc", "abc"));
  assert(!await sameSecret("abc", "abcd"));
  assert(!await sameSecret("", "a"));
});

Deno.test("an event always gives the same uuid", async () => {
  const id = await uuidFrom("event");
  assertEquals(id, await uuidFrom("event"));
  assert(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(id), id);
});
