/** Amelia sends `YYYY-MM-DD HH:MM:SS` as read on the wall of the studio. Answers the instant as ISO text. */
export function wallTimeToInstant(wall: string, zone: string): string {
  const parts = /^(\d{4})-(\d\d)-(\d\d)[ T](\d\d):(\d\d)(?::(\d\d))?$/.exec(wall);
  if (!parts) throw new Error(`not a time: ${wall.slice(0, 40)}`);
  const [year, month, day, hour, minute, second] = parts.slice(1).map((part) => Number(part ?? 0));
  const wanted = Date.UTC(year, month - 1, day, hour, minute, second);
  let instant = wanted;
  for (let round = 0; round < 3; round++) instant = wanted - offsetAt(instant, zone);
  return new Date(instant).toISOString();
}

function offsetAt(instant: number, zone: string): number {
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone: zone,
    hourCycle: "h23",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
  });
  const at = Object.fromEntries(format.formatToParts(instant).map(({ type, value }) => [type, Number(value)]));
  return Date.UTC(at.year, at.month - 1, at.day, at.hour, at.minute, at.second) - Math.floor(instant / 1000) * 1000;
}
