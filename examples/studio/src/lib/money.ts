const formats = new Map<string, Intl.NumberFormat>();

export function formatCents(cents: number, currency = "EUR"): string {
  let format = formats.get(currency);
  if (!format) {
    format = new Intl.NumberFormat("en-IE", { style: "currency", currency });
    formats.set(currency, format);
  }
  return format.format(cents / 100);
}

/** Takes what people type: `12`, `12.5`, `1.234,56`, `1,234.56`, `€ 12,50`. Null for what is not an amount. */
export function parseMoney(typed: string): number | null {
  const text = typed.replace(/[\s€$£]/g, "");
  const parts = /^(\d{1,3}(?:([.,])\d{3}(?:\2\d{3})*)?|\d+)(?:([.,])(\d{1,2}))?$/.exec(text);
  if (!parts) return null;
  const [, whole, grouping, point, fraction = ""] = parts;
  if (grouping && grouping === point) return null;
  const cents = Number(whole.replace(/[.,]/g, "")) * 100 + Number(fraction.padEnd(2, "0") || 0);
  return Number.isSafeInteger(cents) ? cents : null;
}

export function centsToInput(cents: number): string {
  return (cents / 100).toFixed(2);
}

export interface Line {
  qty: number;
  unit_cents: number;
  tax_rate: number;
}

export interface Totals {
  subtotal: number;
  tax: number;
  total: number;
}

// Quantities and rates have two decimals, so the sums are done in whole numbers and rounded as the database does.
function roundedShare(amount: number, hundredths: number, scale: number): number {
  const product = amount * hundredths;
  return Math.sign(product) * Math.round(Math.abs(product) / scale);
}

export function totalsOf(lines: Line[]): Totals {
  let subtotal = 0;
  let tax = 0;
  for (const line of lines) {
    const net = roundedShare(line.unit_cents, Math.round(line.qty * 100), 100);
    subtotal += net;
    tax += roundedShare(net, Math.round(line.tax_rate * 100), 10_000);
  }
  return { subtotal, tax, total: subtotal + tax };
}
