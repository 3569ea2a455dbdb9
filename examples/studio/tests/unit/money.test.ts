import { describe, expect, it } from "vitest";
import { centsToInput, formatCents, parseMoney, totalsOf } from "../../src/lib/money";

describe("money", () => {
  it("reads what people type in either notation", () => {
    expect(["12", "12.5", "12,50", "€ 12,50", "1.234,56", "1,234.56", "1 234", "0,05"].map(parseMoney)).toEqual([
      1200, 1250, 1250, 1250, 123456, 123456, 123400, 5,
    ]);
  });

  it("takes three digits after one sign as thousands", () => {
    expect(parseMoney("1.234")).toBe(123400);
  });

  it("refuses what is not an amount", () => {
    for (const typed of ["", "abc", "-5", "1.2.3", "12,345,6.7", "1.23.456", "1e3", "99999999999999999"]) {
      expect(parseMoney(typed), typed).toBeNull();
    }
  });

  it("shows cents as euros", () => {
    expect(formatCents(123456)).toBe("€1,234.56");
    expect(centsToInput(1205)).toBe("12.05");
  });

  it("sums lines and tax as the database does", () => {
    expect(totalsOf([{ qty: 1.5, unit_cents: 3333, tax_rate: 23 }])).toEqual({ subtotal: 5000, tax: 1150, total: 6150 });
    expect(totalsOf([{ qty: 1, unit_cents: 6911, tax_rate: 23 }, { qty: 1, unit_cents: 2602, tax_rate: 23 }])).toEqual({
      subtotal: 9513,
      tax: 2188,
      total: 11701,
    });
  });

  it("has no floating point in it", () => {
    expect(totalsOf([{ qty: 0.07, unit_cents: 10050, tax_rate: 5.75 }])).toEqual({ subtotal: 704, tax: 40, total: 744 });
    expect(totalsOf([])).toEqual({ subtotal: 0, tax: 0, total: 0 });
  });
});
