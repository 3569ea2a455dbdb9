import { describe, expect, it } from "vitest";
import { ago, fullName, hueOf, initials, likePattern } from "../../src/lib/names";
import { formatPhone, normalisePhone } from "../../src/lib/phone";

describe("telephone numbers", () => {
  it("become E.164", () => {
    expect(normalisePhone("912 345 601")).toBe("+351912345601");
    expect(normalisePhone("00351 912-345-601")).toBe("+351912345601");
    expect(normalisePhone("+44 (7700) 900507")).toBe("+447700900507");
  });

  it("are refused when they cannot be one", () => {
    for (const typed of ["", "12", "call me", "912 345 601 ext 4", "+0000000", "+1234567890123456"]) {
      expect(normalisePhone(typed), typed).toBeNull();
    }
  });

  it("are shown with gaps", () => {
    expect(formatPhone("+351912345601")).toBe("+351 912 345 601");
    expect(formatPhone("+447700900507")).toBe("+447700900507");
    expect(formatPhone(null)).toBe("");
  });
});

describe("names", () => {
  it("give initials, also with accents and one word", () => {
    expect([initials("Inês Lobo"), initials("Maria do Carmo Esteves"), initials("Ângela"), initials("")]).toEqual(["IL", "ME", "Â", "?"]);
  });

  it("are joined without a stray blank", () => {
    expect(fullName({ first_name: "Ana", last_name: "" })).toBe("Ana");
    expect(fullName(null)).toBe("Unknown");
  });

  it("keep their colour", () => {
    expect(hueOf("Ana")).toBe(hueOf("Ana"));
    expect(hueOf("Ana Figueiredo", 6)).toBeLessThan(6);
  });

  it("cannot smuggle wildcards into a search", () => {
    expect(likePattern(" 100%_Ana\\ ")).toBe("%100\\%\\_ana\\\\%");
  });

  it("say how long ago something was", () => {
    const now = Date.parse("2026-06-15T12:00:00Z");
    expect(["2026-06-15T08:00:00Z", "2026-06-14T08:00:00Z", "2026-06-10T08:00:00Z", "2026-05-10T08:00:00Z", "2026-01-10T08:00:00Z"].map((at) => ago(at, now)))
      .toEqual(["today", "yesterday", "5 days ago", "5 weeks ago", "5 months ago"]);
  });
});
