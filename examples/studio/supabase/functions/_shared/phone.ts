const DEFAULT_COUNTRY = "351";
const COUNTRY_CODES: Record<string, string> = {
  pt: "351", es: "34", fr: "33", de: "49", gb: "44", ie: "353", it: "39", nl: "31", be: "32", ch: "41", us: "1", br: "55",
};

/** E.164, or null for what cannot be a telephone number. `countryIso` is the two-letter code Amelia sends. */
export function normalisePhone(raw: unknown, countryIso?: unknown): string | null {
  const text = String(raw ?? "").trim();
  const digits = text.replace(/\D/g, "");
  if (!digits) return null;
  const country = COUNTRY_CODES[String(countryIso ?? "").toLowerCase()] ?? DEFAULT_COUNTRY;
  const international = text.startsWith("+")
    ? digits
    : digits.startsWith("00")
    ? digits.slice(2)
    : country + (country === "39" ? digits : digits.replace(/^0+/, ""));
  return /^[1-9]\d{6,14}$/.test(international) ? `+${international}` : null;
}
