import { useState } from "preact/hooks";
import { useQuery } from "../data/client";
import { deleteDraft, issueInvoice, listItems, outstanding, received, recordPayment, voidInvoice } from "../data/financial";
import type { Invoice } from "../data/types";
import { dayLabel } from "../lib/calendar";
import { centsToInput, formatCents, parseMoney } from "../lib/money";
import { fullName } from "../lib/names";
import { Badge } from "../ui/badge";
import { Dialog } from "../ui/dialog";
import { ErrorState, Loading, toast } from "../ui/feedback";
import { Field, useSaving } from "../ui/form";
import { Icon } from "../ui/icon";
import { invoiceState } from "./invoices";

const GATEWAYS = [
  { key: "card", name: "Card" },
  { key: "onSite", name: "Cash" },
  { key: "transfer", name: "Transfer" },
];

function gatewayName(gateway: string): string {
  return GATEWAYS.find(({ key }) => key === gateway)?.name ?? gateway;
}

function Items({ invoice }: { invoice: Invoice }) {
  const { data, error, reload } = useQuery(() => listItems(invoice.id), [invoice.id, invoice.total_cents]);
  if (error) return <ErrorState message={error} retry={reload} />;
  if (!data) return <Loading label="Loading the lines" rows={3} />;
  return (
    <table class="lines">
      <thead>
        <tr><th>What</th><th class="number">Qty</th><th class="number">Each</th><th class="number">Net</th></tr>
      </thead>
      <tbody>
        {data.map((item) => (
          <tr key={item.id}>
            <td>{item.description}</td>
            <td class="number">{item.qty}</td>
            <td class="number">{formatCents(item.unit_cents)}</td>
            <td class="number">{formatCents(Math.round(item.qty * item.unit_cents))}</td>
          </tr>
        ))}
      </tbody>
      <tfoot>
        <tr><td colSpan={3}>Subtotal</td><td class="number">{formatCents(invoice.subtotal_cents)}</td></tr>
        <tr><td colSpan={3}>Tax</td><td class="number">{formatCents(invoice.tax_cents)}</td></tr>
        <tr class="lines-total"><td colSpan={3}>Total</td><td class="number">{formatCents(invoice.total_cents)}</td></tr>
        {received(invoice) > 0 && invoice.status === "open" && (
          <tr><td colSpan={3}>Still owed</td><td class="number">{formatCents(outstanding(invoice))}</td></tr>
        )}
      </tfoot>
    </table>
  );
}

function PaymentForm({ invoice, onDone, onCancel }: { invoice: Invoice; onDone(): void; onCancel(): void }) {
  const owed = outstanding(invoice);
  const [amount, setAmount] = useState(centsToInput(owed));
  const [gateway, setGateway] = useState("card");
  const [saving, save] = useSaving();
  const cents = parseMoney(amount);
  const wrong = cents === null || cents === 0 ? "Write an amount such as 32 or 32,50." : cents > owed ? `No more than ${formatCents(owed)} is owed.` : undefined;
  const submit = (event: Event) => {
    event.preventDefault();
    if (wrong) return;
    void save(async () => {
      await recordPayment(invoice, cents!, gateway);
      toast(cents === owed ? "Paid in full" : "Payment recorded");
      onDone();
    });
  };
  return (
    <form class="payment-form" onSubmit={submit}>
      <Field label="Amount" error={wrong}>
        <input autoFocus inputMode="decimal" value={amount} onInput={(event) => setAmount(event.currentTarget.value)} />
      </Field>
      <Field label="Paid by">
        <select value={gateway} onChange={(event) => setGateway(event.currentTarget.value)}>
          {GATEWAYS.map(({ key, name }) => <option key={key} value={key}>{name}</option>)}
        </select>
      </Field>
      <div class="payment-actions">
        <button class="button" type="button" onClick={onCancel}>Back</button>
        <button class="button button-primary" disabled={saving || wrong !== undefined}>Record payment</button>
      </div>
    </form>
  );
}

interface PanelProps {
  invoice: Invoice;
  today: string;
  onClose(): void;
  onEdit(): void;
  onChange(): void;
}

export function InvoicePanel({ invoice, today, onClose, onEdit, onChange }: PanelProps) {
  const [paying, setPaying] = useState(false);
  const [saving, save] = useSaving();
  const { label, tone } = invoiceState(invoice, today);
  const act = (change: () => Promise<void>, done: string, close = false) => () =>
    save(async () => {
      await change();
      toast(done);
      if (close) onClose();
      onChange();
    });
  const date = (day: string | null) => (day ? dayLabel(day, { day: "numeric", month: "long", year: "numeric" }) : "—");

  return (
    <Dialog title={invoice.reference ? `Invoice ${invoice.reference}` : "Draft invoice"} side onClose={onClose}>
      <div class="panel-body">
        <div class="invoice-top">
          <div>
            <strong>{fullName(invoice.client)}</strong>
            <Badge tone={tone}>{label}</Badge>
          </div>
          <strong class="invoice-total">{formatCents(invoice.total_cents)}</strong>
        </div>
        <dl class="facts">
          <div><dt>Issued</dt><dd>{date(invoice.issued_on)}</dd></div>
          <div><dt>Due</dt><dd>{date(invoice.due_on)}</dd></div>
        </dl>
        <Items invoice={invoice} />
        {invoice.notes && <p class="callout">{invoice.notes}</p>}
        {invoice.payments.length > 0 && (
          <>
            <h3>Payments</h3>
            <ul class="rows">
              {invoice.payments.map((payment) => (
                <li key={payment.id} class="row">
                  <span class="row-main">
                    <strong>{gatewayName(payment.gateway)}</strong>
                    <small>{payment.paid_at ? date(payment.paid_at.slice(0, 10)) : "pending"}</small>
                  </span>
                  <span class="amount">{formatCents(payment.amount_cents)}</span>
                </li>
              ))}
            </ul>
          </>
        )}
        {paying && (
          <PaymentForm
            invoice={invoice}
            onCancel={() => setPaying(false)}
            onDone={() => {
              setPaying(false);
              onChange();
            }}
          />
        )}
      </div>
      {!paying && invoice.status === "draft" && (
        <footer class="form-foot">
          <button class="button button-danger push-left" type="button" disabled={saving} onClick={act(() => deleteDraft(invoice.id), "Draft deleted", true)}>Delete</button>
          <button class="button" type="button" onClick={onEdit}><Icon name="pencil" size={17} /> Edit</button>
          <button class="button button-primary" type="button" disabled={saving || invoice.total_cents === 0} onClick={act(() => issueInvoice(invoice.id), "Invoice issued")}>Issue</button>
        </footer>
      )}
      {!paying && invoice.status === "open" && (
        <footer class="form-foot">
          {invoice.payments.length === 0 && (
            <button class="button button-danger push-left" type="button" disabled={saving} onClick={act(() => voidInvoice(invoice.id), "Invoice voided")}>Void</button>
          )}
          <button class="button" type="button" onClick={() => setPaying(true)}>Record payment</button>
          <button class="button button-primary" type="button" disabled={saving} onClick={act(() => recordPayment(invoice, outstanding(invoice), "card"), "Marked as paid")}>
            <Icon name="check" size={18} /> Mark paid
          </button>
        </footer>
      )}
    </Dialog>
  );
}
