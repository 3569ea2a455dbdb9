import { describe, expect, it } from "vitest";
import { addDays, instantOf, layOut, parseTime, timeLabel, wallOf, weekLabel, weekOf } from "../../src/lib/calendar";

const LISBON = "Europe/Lisbon";

describe("calendar", () => {
  it("reads the wall clock of the studio in winter and in summer", () => {
    expect(wallOf("2026-01-15T09:00:00Z", LISBON)).toEqual({ day: "2026-01-15", minutes: 540 });
    expect(wallOf("2026-07-15T09:00:00Z", LISBON)).toEqual({ day: "2026-07-15", minutes: 600 });
    expect(wallOf("2026-07-15T23:30:00Z", LISBON)).toEqual({ day: "2026-07-16", minutes: 30 });
  });

  it("finds the instant of a wall time and comes back to it", () => {
    for (const day of ["2026-01-15", "2026-03-29", "2026-07-15", "2026-10-25"]) {
      for (const minutes of [0, 8 * 60, 13 * 60 + 15, 23 * 60 + 45]) {
        expect(wallOf(instantOf({ day, minutes }, LISBON), LISBON)).toEqual({ day, minutes });
      }
    }
    expect(instantOf({ day: "2026-07-15", minutes: 600 }, "America/New_York").toISOString()).toBe("2026-07-15T14:00:00.000Z");
  });

  it("starts the week on Monday, across months and years", () => {
    expect(weekOf("2026-11-29")[0]).toBe("2026-11-23");
    expect(weekOf("2026-11-23")).toHaveLength(7);
    expect(weekOf("2027-01-01")).toEqual(["2026-12-28", "2026-12-29", "2026-12-30", "2026-12-31", "2027-01-01", "2027-01-02", "2027-01-03"]);
    expect(addDays("2028-02-28", 1)).toBe("2028-02-29");
  });

  it("names a week shortly", () => {
    expect(weekLabel(weekOf("2026-11-25"))).toBe("23 – 29 November 2026");
    expect(weekLabel(weekOf("2026-12-01"))).toBe("30 November – 6 December 2026");
    expect(weekLabel(weekOf("2027-01-01"))).toBe("28 December 2026 – 3 January 2027");
  });

  it("writes and reads times", () => {
    expect(timeLabel(9 * 60 + 5)).toBe("09:05");
    expect([parseTime("9:05"), parseTime("23:59"), parseTime("24:00"), parseTime("soon")]).toEqual([545, 1439, null, null]);
  });

  it("puts overlapping appointments side by side and the others at full width", () => {
    const spans = [
      { name: "a", start: 540, end: 600 },
      { name: "b", start: 570, end: 630 },
      { name: "c", start: 600, end: 660 },
      { name: "d", start: 700, end: 730 },
    ];
    const placed = layOut(spans).map(({ item, lane, lanes }) => [item.name, lane, lanes]);
    expect(placed).toEqual([["a", 0, 2], ["b", 1, 2], ["c", 0, 2], ["d", 0, 1]]);
  });
});
