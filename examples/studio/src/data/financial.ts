import { ask, supabase } from "./client";
import type { Invoice, InvoiceItem } from "./types";

export interface Month {
  month: string;
  revenue_cents: number;
}

export async function listInvoices(): Promise<Invoice[]> {
  const fields = "*, client:clients(id, first_name, last_name), payments(id, gateway, status, amount_cents, paid_at)";
  return await ask(supabase.from("invoices").select(fields).order("issued_on", { ascending: false }).order("created_at", { ascending: false }).limit(200));
}

export async function listItems(invoice: string): Promise<InvoiceItem[]> {
  const fields = "id, service_id, description, qty, unit_cents, tax_rate";
  return await ask(supabase.from("invoice_items").select(fields).eq("invoice_id", invoice).order("position"));
}

export async function monthlyRevenue(): Promise<Month[]> {
  const query = supabase.from("monthly_revenue").select("month, revenue_cents").eq("currency", "EUR");
  return await ask(query.order("month", { ascending: false }).limit(6));
}

export interface InvoiceDraft {
  id?: string;
  client_id: string;
  due_on: string | null;
  notes: string;
}

export async function saveInvoice(invoice: InvoiceDraft, items: InvoiceItem[]): Promise<string> {
  return await ask(supabase.rpc("save_invoice", { invoice, items }));
}

export async function issueInvoice(id: string): Promise<void> {
  await ask(supabase.from("invoices").update({ status: "open" }).eq("id", id));
}

export async function voidInvoice(id: string): Promise<void> {
  await ask(supabase.from("invoices").update({ status: "void" }).eq("id", id));
}

export async function deleteDraft(id: string): Promise<void> {
  await ask(supabase.from("invoices").delete().eq("id", id));
}

export async function recordPayment(invoice: Invoice, amountCents: number, gateway: string): Promise<void> {
  const status = amountCents < outstanding(invoice) ? "partially_paid" : "paid";
  const payment = { invoice_id: invoice.id, amount_cents: amountCents, gateway, status, paid_at: new Date().toISOString() };
  await ask(supabase.from("payments").insert(payment));
}

export function received(invoice: Invoice): number {
  const counted = invoice.payments.filter(({ status }) => status === "paid" || status === "partially_paid");
  return counted.reduce((sum, payment) => sum + payment.amount_cents, 0);
}

export function outstanding(invoice: Invoice): number {
  return invoice.status === "open" ? Math.max(0, invoice.total_cents - received(invoice)) : 0;
}

export function isOverdue(invoice: Invoice, today: string): boolean {
  return invoice.status === "open" && invoice.due_on !== null && invoice.due_on < today;
}
