import { uuidFrom } from "../_shared/crypto.ts";
import { log } from "../_shared/http.ts";
import { Worker } from "../_shared/inbox.ts";
import { normalisePhone } from "../_shared/phone.ts";
import { first, insertNew, moduleEnabled, Row, update, upsert } from "../_shared/rest.ts";
import { wallTimeToInstant } from "../_shared/time.ts";
import { AmeliaEvent, Fields, fieldsOf, listOf } from "./event.ts";

const TEMPLATES: Record<string, string> = {
  bookingAdded: "booking_confirmed",
  bookingTimeUpdated: "booking_moved",
  bookingCanceled: "booking_canceled",
};
const PAYMENT_STATUS: Record<string, string> = {
  paid: "paid",
  pending: "pending",
  partiallyPaid: "partially_paid",
  refunded: "refunded",
};
const GATEWAYS = ["onSite", "payPal", "stripe", "wc", "mollie", "razorpay"];
const STILL_ON = ["approved", "pending"];

export const ameliaWorker: Worker = {
  source: "amelia",
  isOpen: () => moduleEnabled("scheduling"),
  async process(row) {
    const { type, reservation, bookings } = row.payload as AmeliaEvent["payload"];
    const clients = [];
    for (const booking of bookings) clients.push(await saveClient(fieldsOf(booking.customer)));
    if (type === "package") await notePackage(String(row.action), row, reservation, clients[0]);
    if (type === "appointment") await saveAppointment(row, reservation, bookings, clients);
  },
};

async function saveAppointment(row: Row, reservation: Fields, affected: Fields[], clients: (Row | undefined)[]) {
  const all = listOf(reservation.bookings);
  const bookings = all.length > 0 ? all : affected;
  const client = clients.find((one) => one !== undefined);
  if (!client) throw new Error("no booking with a customer");

  const staff = await saveStaff(reservation);
  const service = await saveService(reservation);
  const zone = Deno.env.get("STUDIO_TIME_ZONE") ?? "UTC";
  const counted = bookings.filter((booking) => STILL_ON.includes(String(booking.status)));
  const priced = counted.length > 0 ? counted : bookings;
  const canceled = row.action === "bookingCanceled";
  const appointment = await upsert("appointments", "amelia_appointment_id", {
    amelia_appointment_id: Number(reservation.id),
    client_id: client.id,
    staff_id: staff.id,
    service_id: service.id,
    starts_at: wallTimeToInstant(String(reservation.bookingStart), zone),
    ends_at: wallTimeToInstant(String(reservation.bookingEnd), zone),
    status: statusOf(reservation, bookings),
    persons: Math.max(1, priced.reduce((sum, booking) => sum + Number(booking.persons ?? 1), 0)),
    price_cents: priced.reduce((sum, booking) => sum + priceOf(booking), 0),
    source: "amelia",
    cancel_reason: canceled ? "Canceled in Amelia" : null,
  });

  if (await moduleEnabled("financial")) {
    for (const booking of affected) await savePayments(booking, appointment);
  }
  const template = TEMPLATES[String(row.action)];
  if (template && await moduleEnabled("crm")) await queueMessage(template, row, client, appointment, reservation);
}

function statusOf(reservation: Fields, bookings: Fields[]): string {
  const own = bookings.length === 1 ? bookings[0].status : undefined;
  return String(own ?? reservation.status ?? "pending");
}

function toCents(amount: unknown): number {
  return Math.round(Number(amount ?? 0) * 100) || 0;
}

function priceOf(booking: Fields): number {
  const times = booking.aggregatedPrice === false ? 1 : Number(booking.persons ?? 1);
  return toCents(booking.price) * times;
}

/** Found by Amelia's number, then by telephone, then by e-mail; what the studio wrote itself is kept. */
async function saveClient(customer: Fields): Promise<Row | undefined> {
  const number = Number(customer.id);
  if (!number) return undefined;
  const phone = normalisePhone(customer.phone, customer.countryPhoneIso);
  const email = String(customer.email ?? "").trim().toLowerCase() || null;
  const unlinked = { amelia_customer_id: "is.null", order: "created_at.asc" };
  const known = await first("clients", { amelia_customer_id: `eq.${number}` }) ??
    (phone ? await first("clients", { ...unlinked, phone_e164: `eq.${phone}` }) : undefined) ??
    (email ? await first("clients", { ...unlinked, email: `eq.${email}` }) : undefined);
  if (known) {
    return (await update("clients", { id: `eq.${known.id}` }, {
      amelia_customer_id: number,
      email: known.email ?? email,
      phone_e164: known.phone_e164 ?? phone,
    }))[0];
  }
  return await upsert("clients", "amelia_customer_id", {
    amelia_customer_id: number,
    first_name: String(customer.firstName ?? "").trim() || "Unknown",
    last_name: String(customer.lastName ?? "").trim(),
    email,
    phone_e164: phone,
    birth_date: /^\d{4}-\d\d-\d\d/.exec(String(customer.birthday ?? ""))?.[0] ?? null,
    source: "amelia",
  });
}

async function ensure(table: string, key: string, row: Fields): Promise<Row> {
  const where = { [key]: `eq.${row[key]}` };
  return await first(table, where) ?? (await insertNew(table, key, row))[0] ?? (await first(table, where))!;
}

async function saveStaff(reservation: Fields): Promise<Row> {
  const provider = fieldsOf(reservation.provider);
  return await ensure("staff", "amelia_provider_id", {
    amelia_provider_id: Number(reservation.providerId ?? provider.id),
    full_name: `${provider.firstName ?? "Provider"} ${provider.lastName ?? reservation.providerId ?? ""}`.trim(),
  });
}

async function saveService(reservation: Fields): Promise<Row> {
  const service = fieldsOf(reservation.service);
  return await ensure("services", "amelia_service_id", {
    amelia_service_id: Number(reservation.serviceId ?? service.id),
    name: String(service.name ?? `Service ${reservation.serviceId}`),
    duration_min: Math.min(720, Math.max(5, Math.round(Number(service.duration ?? 3600) / 60))),
    price_cents: toCents(service.price),
  });
}

async function savePayments(booking: Fields, appointment: Row) {
  for (const payment of listOf(booking.payments)) {
    const amount = toCents(payment.amount);
    if (amount <= 0 || !Number(payment.id)) continue;
    const status = PAYMENT_STATUS[String(payment.status)] ?? "pending";
    const gateway = String(payment.gateway);
    await upsert("payments", "amelia_payment_id", {
      amelia_payment_id: Number(payment.id),
      appointment_id: appointment.id,
      gateway: GATEWAYS.includes(gateway) ? gateway : "onSite",
      status,
      amount_cents: amount,
      paid_at: status === "pending"
        ? null
        : wallTimeToInstant(String(payment.dateTime), Deno.env.get("STUDIO_TIME_ZONE") ?? "UTC"),
      external_ref: payment.transactionId ? String(payment.transactionId) : null,
    });
  }
}

async function notePackage(action: string, row: Row, reservation: Fields, client: Row | undefined) {
  if (!client || !await moduleEnabled("crm")) return;
  const verb = action === "packageCanceled" ? "Canceled" : "Bought";
  await insertNew("interactions", "external_id", {
    client_id: client.id,
    channel: "note",
    body: `${verb} the package ${reservation.name ?? reservation.id}`,
    external_id: row.dedupe_key,
  });
}

async function queueMessage(template: string, row: Row, client: Row, appointment: Row, reservation: Fields) {
  if (!client.whatsapp_opt_in_at || !client.phone_e164) return;
  const queued = await insertNew("messages", "id", {
    id: await uuidFrom(`message:${row.dedupe_key}`),
    client_id: client.id,
    appointment_id: appointment.id,
    template,
    language: client.locale === "pt" ? "pt_PT" : "en",
    params: [client.first_name, String(reservation.bookingStart).slice(0, 16)],
  });
  for (const message of queued) await sendNow(message.id);
}

/** A message that cannot be sent now stays queued; the booking itself is done. */
async function sendNow(message: string) {
  try {
    const answer = await fetch(`${Deno.env.get("SUPABASE_URL")}/functions/v1/whatsapp/send`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${Deno.env.get("SUPABASE_SERVICE_ROLE_KEY")}`,
        "content-type": "application/json",
      },
      body: JSON.stringify({ message_id: message }),
      signal: AbortSignal.timeout(15_000),
    });
    await answer.body?.cancel();
    if (!answer.ok) log("amelia-webhook", "send_postponed", { message, status: answer.status });
  } catch (error) {
    log("amelia-webhook", "send_postponed", { message, reason: (error as Error).name });
  }
}
