export interface Client {
  id: string;
  first_name: string;
  last_name: string;
  email: string | null;
  phone_e164: string | null;
  birth_date: string | null;
  source: "manual" | "amelia" | "whatsapp" | "referral";
  whatsapp_opt_in_at: string | null;
  notes: string;
  archived_at: string | null;
  created_at: string;
}

export type ClientName = Pick<Client, "id" | "first_name" | "last_name">;

export interface ClientRow extends Client {
  tags: { id: string; name: string }[];
}

export interface Interaction {
  id: string;
  channel: "whatsapp" | "phone" | "email" | "visit" | "note";
  direction: "in" | "out";
  body: string;
  occurred_at: string;
}

export type Stage = "new" | "contacted" | "visit" | "won" | "lost";

export interface Lead {
  id: string;
  title: string;
  stage: Stage;
  value_cents: number;
  next_step_on: string | null;
  lost_reason: string | null;
  client_id: string;
  client: ClientName;
}

export interface Staff {
  id: string;
  full_name: string;
  active: boolean;
}

export interface Service {
  id: string;
  name: string;
  duration_min: number;
  price_cents: number;
  active: boolean;
}

export type AppointmentStatus = "approved" | "pending" | "canceled" | "rejected" | "no-show";

export interface Appointment {
  id: string;
  client_id: string;
  staff_id: string;
  service_id: string;
  starts_at: string;
  ends_at: string;
  status: AppointmentStatus;
  price_cents: number;
  cancel_reason: string | null;
  source: string;
  client: ClientName;
  staff: Pick<Staff, "id" | "full_name">;
  service: Pick<Service, "id" | "name">;
}

export type InvoiceStatus = "draft" | "open" | "paid" | "void";

export interface Invoice {
  id: string;
  client_id: string;
  reference: string | null;
  status: InvoiceStatus;
  subtotal_cents: number;
  tax_cents: number;
  total_cents: number;
  issued_on: string | null;
  due_on: string | null;
  notes: string;
  created_at: string;
  client: ClientName;
  payments: Payment[];
}

export interface InvoiceItem {
  id?: string;
  service_id: string | null;
  description: string;
  qty: number;
  unit_cents: number;
  tax_rate: number;
}

export interface Payment {
  id: string;
  gateway: string;
  status: "pending" | "partially_paid" | "paid" | "refunded";
  amount_cents: number;
  paid_at: string | null;
}

export interface Profile {
  user_id: string;
  full_name: string;
  role: "owner" | "manager" | "staff";
}
