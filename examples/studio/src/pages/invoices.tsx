import { useState } from "preact/hooks";
import { useQuery } from "../data/client";
import { isOverdue, listInvoices, monthlyRevenue, outstanding, type Month } from "../data/financial";
import type { Invoice } from "../data/types";
import { timeZone } from "../env";
import { dayLabel, wallOf } from "../lib/calendar";
import { formatCents } from "../lib/money";
import { fullName } from "../lib/names";
import { Badge, type Tone } from "../ui/badge";
import { EmptyState, ErrorState, Loading } from "../ui/feedback";
import { Segments } from "../ui/form";
import { Icon } from "../ui/icon";
import { PageHead } from "../ui/page";
import { Avatar } from "../ui/person";
import { InvoiceEditor } from "./invoice-editor";
import { InvoicePanel } from "./invoice-panel";

type Filter = "all" | "draft" | "open" | "paid";

export function invoiceState(invoice: Invoice, today: string): { label: string; tone: Tone } {
  if (isOverdue(invoice, today)) return { label: "overdue", tone: "bad" };
  const tones: Record<Invoice["status"], Tone> = { draft: "calm", open: "warn", paid: "good", void: "calm" };
  return { label: invoice.status, tone: tones[invoice.status] };
}

function lastMonths(today: string, count: number): string[] {
  const [year, month] = today.split("-").map(Number);
  return Array.from({ length: count }, (_, index) => new Date(Date.UTC(year, month - count + index, 1)).toISOString().slice(0, 10));
}

function RevenueChart({ months, today }: { months: Month[]; today: string }) {
  const bars = lastMonths(today, 6).map((month) => ({ month, cents: months.find((one) => one.month === month)?.revenue_cents ?? 0 }));
  const most = Math.max(1, ...bars.map(({ cents }) => cents));
  return (
    <div class="chart" role="img" aria-label={bars.map(({ month, cents }) => `${dayLabel(month, { month: "long" })} ${formatCents(cents)}`).join(", ")}>
      {bars.map(({ month, cents }) => (
        <div key={month} class={month.slice(0, 7) === today.slice(0, 7) ? "bar bar-now" : "bar"} title={formatCents(cents)}>
          <span style={{ height: `${Math.max(2, (Math.max(0, cents) / most) * 100)}%` }} />
          <small>{dayLabel(month, { month: "short" })}</small>
        </div>
      ))}
    </div>
  );
}

function Summary({ invoices, today }: { invoices: Invoice[]; today: string }) {
  const revenue = useQuery(monthlyRevenue, [invoices]);
  const open = invoices.filter(({ status }) => status === "open");
  const late = invoices.filter((invoice) => isOverdue(invoice, today));
  const owed = (some: Invoice[]) => formatCents(some.reduce((sum, invoice) => sum + outstanding(invoice), 0));
  const [before, current] = lastMonths(today, 2).map((month) => revenue.data?.find((one) => one.month === month)?.revenue_cents ?? 0);
  const oldest = late.map(({ due_on }) => due_on!).sort()[0];
  return (
    <div class="figures">
      <div class="figure">
        <span>Received this month</span>
        <strong>{formatCents(current)}</strong>
        <small>{formatCents(before)} last month</small>
      </div>
      <div class="figure">
        <span>Waiting to be paid</span>
        <strong>{owed(open)}</strong>
        <small>{open.length === 1 ? "1 invoice" : `${open.length} invoices`}</small>
      </div>
      <div class={late.length > 0 ? "figure figure-bad" : "figure"}>
        <span>Overdue</span>
        <strong>{owed(late)}</strong>
        <small>{oldest ? `since ${dayLabel(oldest, { day: "numeric", month: "long" })}` : "nobody is late"}</small>
      </div>
      <div class="figure figure-chart">
        <span>Six months</span>
        {revenue.data ? <RevenueChart months={revenue.data} today={today} /> : <Loading label="Loading revenue" rows={2} />}
      </div>
    </div>
  );
}

function InvoiceList({ invoices, today, open }: { invoices: Invoice[]; today: string; open(invoice: Invoice): void }) {
  return (
    <ul class="list" aria-label="Invoices">
      {invoices.map((invoice) => {
        const { label, tone } = invoiceState(invoice, today);
        const dated = invoice.issued_on ? dayLabel(invoice.issued_on, { day: "numeric", month: "short", year: "numeric" }) : "Not issued";
        return (
          <li key={invoice.id}>
            <button class="list-row invoice-row" type="button" onClick={() => open(invoice)}>
              <Avatar name={fullName(invoice.client)} />
              <span class="row-main">
                <strong>{fullName(invoice.client)}</strong>
                <small>{invoice.reference ?? "Draft"} · {dated}</small>
              </span>
              <span class="invoice-state"><Badge tone={tone}>{label}</Badge></span>
              <strong class={invoice.status === "void" ? "amount amount-void" : "amount"}>{formatCents(invoice.total_cents)}</strong>
            </button>
          </li>
        );
      })}
    </ul>
  );
}

export function InvoicesPage() {
  const { data, error, reload } = useQuery(listInvoices, []);
  const [filter, setFilter] = useState<Filter>("all");
  const [openedId, setOpenedId] = useState<string | null>(null);
  const [editing, setEditing] = useState<Invoice | "new" | null>(null);
  const today = wallOf(new Date(), timeZone).day;
  const shown = (data ?? []).filter(({ status }) => filter === "all" || status === filter);
  const opened = data?.find(({ id }) => id === openedId) ?? null;

  return (
    <>
      <PageHead title="Invoices" lead="What was earned, and what is still owed.">
        <button class="button button-primary" type="button" onClick={() => setEditing("new")}>
          <Icon name="plus" size={18} /> <span>New invoice</span>
        </button>
      </PageHead>
      {error ? (
        <ErrorState message={error} retry={reload} />
      ) : !data ? (
        <Loading label="Loading invoices" rows={8} />
      ) : (
        <>
          <Summary invoices={data} today={today} />
          <div class="toolbar">
            <Segments
              label="Which invoices"
              value={filter}
              options={(["all", "draft", "open", "paid"] as Filter[]).map((value) => ({ value, label: value[0].toUpperCase() + value.slice(1) }))}
              onChange={setFilter}
            />
          </div>
          {shown.length === 0 ? (
            <EmptyState icon="receipt" title={data.length === 0 ? "No invoices yet" : `Nothing is ${filter}`}>
              {data.length === 0 ? "Write the first one when the first client is happy." : "Look at all of them instead."}
            </EmptyState>
          ) : (
            <InvoiceList invoices={shown} today={today} open={({ id }) => setOpenedId(id)} />
          )}
        </>
      )}
      {opened && !editing && (
        <InvoicePanel invoice={opened} today={today} onClose={() => setOpenedId(null)} onEdit={() => setEditing(opened)} onChange={reload} />
      )}
      {editing && (
        <InvoiceEditor
          invoice={editing === "new" ? null : editing}
          onClose={() => setEditing(null)}
          onSaved={(id) => {
            setEditing(null);
            setOpenedId(id);
            reload();
          }}
        />
      )}
    </>
  );
}
