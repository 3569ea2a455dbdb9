// Days are `YYYY-MM-DD` and times are minutes since midnight, both as read on the wall of the studio.

export interface Wall {
  day: string;
  minutes: number;
}

const formats = new Map<string, Intl.DateTimeFormat>();

function formatFor(zone: string): Intl.DateTimeFormat {
  let format = formats.get(zone);
  if (!format) {
    format = new Intl.DateTimeFormat("en-CA", {
      timeZone: zone,
      hourCycle: "h23",
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
    });
    formats.set(zone, format);
  }
  return format;
}

export function wallOf(instant: Date | string, zone: string): Wall {
  const date = typeof instant === "string" ? new Date(instant) : instant;
  const at = Object.fromEntries(formatFor(zone).formatToParts(date).map(({ type, value }) => [type, value]));
  return { day: `${at.year}-${at.month}-${at.day}`, minutes: Number(at.hour) * 60 + Number(at.minute) };
}

export function instantOf({ day, minutes }: Wall, zone: string): Date {
  const wanted = Date.parse(`${day}T00:00:00Z`) + minutes * 60_000;
  let instant = wanted;
  for (let round = 0; round < 3; round++) {
    const seen = wallOf(new Date(instant), zone);
    instant += wanted - (Date.parse(`${seen.day}T00:00:00Z`) + seen.minutes * 60_000);
  }
  return new Date(instant);
}

export function addDays(day: string, count: number): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + count * 86_400_000).toISOString().slice(0, 10);
}

/** Monday first. */
export function weekOf(day: string): string[] {
  const weekday = (new Date(`${day}T00:00:00Z`).getUTCDay() + 6) % 7;
  return Array.from({ length: 7 }, (_, index) => addDays(day, index - weekday));
}

export function timeLabel(minutes: number): string {
  return `${String(Math.floor(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`;
}

export function parseTime(text: string): number | null {
  const parts = /^([01]?\d|2[0-3]):([0-5]\d)$/.exec(text.trim());
  return parts ? Number(parts[1]) * 60 + Number(parts[2]) : null;
}

export function dayLabel(day: string, options: Intl.DateTimeFormatOptions): string {
  return new Intl.DateTimeFormat("en-GB", { ...options, timeZone: "UTC" }).format(new Date(`${day}T00:00:00Z`));
}

export function weekLabel(days: string[]): string {
  const [first, last] = [days[0], days[days.length - 1]];
  const end = dayLabel(last, { day: "numeric", month: "long", year: "numeric" });
  if (first.slice(0, 7) === last.slice(0, 7)) return `${Number(first.slice(8))} – ${end}`;
  const sameYear = first.slice(0, 4) === last.slice(0, 4);
  return `${dayLabel(first, { day: "numeric", month: "long", ...(sameYear ? {} : { year: "numeric" }) })} – ${end}`;
}

export interface Span {
  start: number;
  end: number;
}

export interface Placed<T> {
  item: T;
  lane: number;
  lanes: number;
}

/** Puts spans that overlap side by side. Spans of one knot share its number of lanes. */
export function layOut<T extends Span>(items: T[]): Placed<T>[] {
  const sorted = [...items].sort((a, b) => a.start - b.start || b.end - a.end);
  const placed: Placed<T>[] = [];
  let knot: Placed<T>[] = [];
  let laneEnds: number[] = [];
  let knotEnd = -Infinity;
  const closeKnot = () => {
    knot.forEach((one) => (one.lanes = laneEnds.length));
    knot = [];
    laneEnds = [];
  };
  for (const item of sorted) {
    if (item.start >= knotEnd) closeKnot();
    const free = laneEnds.findIndex((end) => end <= item.start);
    const lane = free === -1 ? laneEnds.length : free;
    laneEnds[lane] = item.end;
    knotEnd = Math.max(knotEnd, item.end);
    const one = { item, lane, lanes: 1 };
    knot.push(one);
    placed.push(one);
  }
  closeKnot();
  return placed;
}
