/** E.164, or null for what cannot be a telephone number. Numbers without a country are Portuguese. */
export function normalisePhone(typed: string): string | null {
  const text = typed.trim();
  const digits = text.replace(/\D/g, "");
  if (!digits || /[^\d\s().+\-/]/.test(text)) return null;
  const international = text.startsWith("+")
    ? digits
    : digits.startsWith("00")
      ? digits.slice(2)
      : `351${digits.replace(/^0+/, "")}`;
  return /^[1-9]\d{6,14}$/.test(international) ? `+${international}` : null;
}

export function formatPhone(e164: string | null): string {
  const portuguese = /^\+351(\d{3})(\d{3})(\d{3})$/.exec(e164 ?? "");
  return portuguese ? `+351 ${portuguese[1]} ${portuguese[2]} ${portuguese[3]}` : (e164 ?? "");
}
