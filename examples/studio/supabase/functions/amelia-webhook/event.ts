import { sha256Hex } from "../_shared/crypto.ts";
import { Refusal } from "../_shared/http.ts";

export type Fields = Record<string, unknown>;

export interface AmeliaEvent {
  action: string;
  subject: string;
  dedupe_key: string;
  payload: { type: string; reservation: Fields; bookings: Fields[] };
}

const ACTIONS = [
  "bookingAdded",
  "bookingTimeUpdated",
  "bookingStatusUpdated",
  "bookingCanceled",
  "packagePurchased",
  "packageCanceled",
];
const TYPES = ["appointment", "package", "event"];
const CREDENTIALS = new Set(["token", "cancelUrl", "customerPanelUrl"]);

/** Amelia encodes lists as objects with numbered keys; some versions send real lists. */
export function listOf(value: unknown): Fields[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).filter((item) => typeof item === "object" && item !== null) as Fields[];
}

export function fieldsOf(value: unknown): Fields {
  return typeof value === "object" && value !== null ? value as Fields : {};
}

export function withoutCredentials(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutCredentials);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => !CREDENTIALS.has(key))
      .map(([key, inner]) => [key, withoutCredentials(inner)]),
  );
}

/** The action is in the address, not in the body. For a moved booking the affected list is empty. */
export async function readEvent(action: string | null, body: Fields): Promise<AmeliaEvent> {
  if (!action || !ACTIONS.includes(action)) throw new Refusal(400, "unknown action");
  const type = TYPES.find((name) => typeof body[name] === "object" && body[name] !== null);
  if (!type) throw new Refusal(400, "no appointment, package or event in the body");

  const reservation = withoutCredentials(body[type]) as Fields;
  const affected = listOf(withoutCredentials(body.bookings));
  const bookings = affected.length > 0 ? affected : listOf(reservation.bookings);
  const identity = [
    type,
    action,
    reservation.id,
    bookings.map((booking) => booking.id),
    [reservation.status, ...bookings.map((booking) => booking.status)],
    reservation.bookingStart,
  ];
  return {
    action,
    subject: `amelia:${type}:${reservation.id}`,
    dedupe_key: `amelia:${await sha256Hex(JSON.stringify(identity))}`,
    payload: { type, reservation, bookings },
  };
}
