export function fullName(person: { first_name: string; last_name: string } | null | undefined): string {
  return person ? `${person.first_name} ${person.last_name}`.trim() : "Unknown";
}

export function initials(name: string): string {
  const words = name.split(/\s+/).filter((word) => /^\p{L}/u.test(word));
  const ends = words.length > 1 ? [words[0], words[words.length - 1]] : words;
  return ends.map((word) => [...word][0].toUpperCase()).join("") || "?";
}

/** A steady number from 0 to `count - 1` for a name, so that a person keeps a colour. */
export function hueOf(name: string, count = 6): number {
  let sum = 0;
  for (const letter of name) sum = (sum * 31 + letter.codePointAt(0)!) >>> 0;
  return sum % count;
}

/** Makes typed text safe inside a PostgREST `ilike` pattern. */
export function likePattern(typed: string): string {
  return `%${typed.trim().toLowerCase().replace(/[\\%_]/g, (sign) => `\\${sign}`)}%`;
}

export function ago(instant: string, now = Date.now()): string {
  const days = Math.floor((now - Date.parse(instant)) / 86_400_000);
  if (days <= 0) return "today";
  if (days === 1) return "yesterday";
  if (days < 14) return `${days} days ago`;
  if (days < 70) return `${Math.round(days / 7)} weeks ago`;
  return `${Math.round(days / 30)} months ago`;
}
