import type { ComponentChildren } from "preact";
import { listLeads } from "../data/crm";
import { useQuery, type Query } from "../data/client";
import { isOverdue, listInvoices, outstanding } from "../data/financial";
import { listAppointments } from "../data/scheduling";
import type { Profile } from "../data/types";
import { timeZone } from "../env";
import { dayLabel, timeLabel, wallOf } from "../lib/calendar";
import { formatCents } from "../lib/money";
import { fullName } from "../lib/names";
import { isOn } from "../modules";
import { Badge } from "../ui/badge";
import { EmptyState, ErrorState, Loading } from "../ui/feedback";
import { PageHead } from "../ui/page";
import { Avatar } from "../ui/person";
import { appointmentTone } from "./calendar";

function Card<T>(props: { title: string; link: string; query: Query<T>; children(data: T): ComponentChildren }) {
  const { data, error, reload } = props.query;
  return (
    <section class="card">
      <header class="card-head">
        <h2>{props.title}</h2>
        <a class="quiet-link" href={props.link}>Open</a>
      </header>
      {error ? <ErrorState message={error} retry={reload} /> : data === undefined ? <Loading label={props.title} rows={3} /> : props.children(data)}
    </section>
  );
}

function greeting(minutes: number): string {
  if (minutes < 12 * 60) return "Good morning";
  return minutes < 18 * 60 ? "Good afternoon" : "Good evening";
}

function AppointmentsToday({ today }: { today: string }) {
  const query = useQuery(() => listAppointments(today, 1), [today]);
  return (
    <Card title="Appointments" link="/calendar" query={query}>
      {(all) => {
        const on = all.filter(({ status }) => status === "approved" || status === "pending");
        if (on.length === 0) return <EmptyState icon="calendar" title="A free day">Nobody is booked for today.</EmptyState>;
        return (
          <ul class="rows">
            {on.map((one) => (
              <li key={one.id} class={Date.parse(one.ends_at) < Date.now() ? "row row-past" : "row"}>
                <time class="row-time">{timeLabel(wallOf(one.starts_at, timeZone).minutes)}</time>
                <span class="row-main">
                  <strong>{fullName(one.client)}</strong>
                  <small>{one.service.name} with {one.staff.full_name}</small>
                </span>
                {one.status === "pending" && <Badge tone={appointmentTone(one.status)}>pending</Badge>}
              </li>
            ))}
          </ul>
        );
      }}
    </Card>
  );
}

function NextSteps({ today }: { today: string }) {
  const query = useQuery(listLeads, []);
  return (
    <Card title="Leads to follow up" link="/leads" query={query}>
      {(all) => {
        const due = all.filter(({ stage, next_step_on }) => stage !== "won" && stage !== "lost" && next_step_on);
        if (due.length === 0) return <EmptyState icon="board" title="Nothing to chase">Every lead has been followed up.</EmptyState>;
        return (
          <ul class="rows">
            {due.slice(0, 5).map((lead) => (
              <li key={lead.id} class="row">
                <Avatar name={fullName(lead.client)} />
                <span class="row-main">
                  <strong>{lead.title}</strong>
                  <small>{fullName(lead.client)} · {formatCents(lead.value_cents)}</small>
                </span>
                <Badge tone={lead.next_step_on! <= today ? "warn" : "calm"}>
                  {lead.next_step_on === today ? "today" : dayLabel(lead.next_step_on!, { day: "numeric", month: "short" })}
                </Badge>
              </li>
            ))}
          </ul>
        );
      }}
    </Card>
  );
}

function MoneyOwed({ today }: { today: string }) {
  const query = useQuery(listInvoices, []);
  return (
    <Card title="Waiting to be paid" link="/invoices" query={query}>
      {(all) => {
        const open = all.filter(({ status }) => status === "open");
        if (open.length === 0) return <EmptyState icon="receipt" title="All paid">No invoice is open.</EmptyState>;
        return (
          <ul class="rows">
            {open.slice(0, 5).map((invoice) => (
              <li key={invoice.id} class="row">
                <Avatar name={fullName(invoice.client)} />
                <span class="row-main">
                  <strong>{fullName(invoice.client)}</strong>
                  <small>{invoice.reference}{isOverdue(invoice, today) && <> · <em class="bad">overdue</em></>}</small>
                </span>
                <strong class="amount">{formatCents(outstanding(invoice))}</strong>
              </li>
            ))}
          </ul>
        );
      }}
    </Card>
  );
}

export function TodayPage({ profile }: { profile: Profile }) {
  const now = wallOf(new Date(), timeZone);
  const firstName = profile.full_name.split(" ")[0];
  return (
    <>
      <PageHead
        title={`${greeting(now.minutes)}, ${firstName}`}
        lead={dayLabel(now.day, { weekday: "long", day: "numeric", month: "long" })}
      />
      <div class="cards today">
        {isOn("scheduling") && <AppointmentsToday today={now.day} />}
        {isOn("crm") && <NextSteps today={now.day} />}
        {isOn("financial") && <MoneyOwed today={now.day} />}
      </div>
    </>
  );
}
