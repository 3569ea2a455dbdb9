import { useState } from "preact/hooks";
import { useQuery } from "../data/client";
import { listClientNames, listLeads, moveLead, removeLead, saveLead } from "../data/crm";
import type { Lead, Stage } from "../data/types";
import { timeZone } from "../env";
import { dayLabel, wallOf } from "../lib/calendar";
import { centsToInput, formatCents, parseMoney } from "../lib/money";
import { fullName } from "../lib/names";
import { Badge } from "../ui/badge";
import { Dialog } from "../ui/dialog";
import { EmptyState, ErrorState, Loading, problem, toast } from "../ui/feedback";
import { Field, Segments, useSaving } from "../ui/form";
import { Icon } from "../ui/icon";
import { PageHead } from "../ui/page";
import { Avatar } from "../ui/person";

const STAGES: { key: Stage; name: string }[] = [
  { key: "new", name: "New" },
  { key: "contacted", name: "Contacted" },
  { key: "visit", name: "Visit" },
  { key: "won", name: "Won" },
  { key: "lost", name: "Lost" },
];

function LeadForm({ lead, onClose, onSaved }: { lead: Lead | null; onClose(): void; onSaved(): void }) {
  const clients = useQuery(listClientNames, []);
  const [clientId, setClientId] = useState(lead?.client_id ?? "");
  const [title, setTitle] = useState(lead?.title ?? "");
  const [value, setValue] = useState(lead ? centsToInput(lead.value_cents) : "");
  const [stage, setStage] = useState<Stage>(lead?.stage ?? "new");
  const [nextStep, setNextStep] = useState(lead?.next_step_on ?? "");
  const [reason, setReason] = useState(lead?.lost_reason ?? "");
  const [saving, save] = useSaving();
  const cents = value.trim() ? parseMoney(value) : 0;

  const submit = (event: Event) => {
    event.preventDefault();
    if (cents === null) return;
    void save(async () => {
      await saveLead(lead?.id ?? null, {
        client_id: clientId,
        title: title.trim(),
        stage,
        value_cents: cents,
        next_step_on: nextStep || null,
        lost_reason: stage === "lost" ? reason.trim() || null : null,
      });
      toast(lead ? "Lead saved" : "Lead added");
      onSaved();
    });
  };
  const remove = () =>
    save(async () => {
      await removeLead(lead!.id);
      toast("Lead removed");
      onSaved();
    });

  return (
    <Dialog title={lead ? "Edit lead" : "New lead"} onClose={onClose}>
      <form class="form" onSubmit={submit}>
        <div class="form-body">
          <Field label="What is it about" wide>
            <input required maxLength={120} value={title} onInput={(event) => setTitle(event.currentTarget.value)} />
          </Field>
          <Field label="Client" wide>
            <select required value={clientId} onChange={(event) => setClientId(event.currentTarget.value)}>
              <option value="">Choose…</option>
              {clients.data?.map((client) => <option key={client.id} value={client.id}>{fullName(client)}</option>)}
            </select>
          </Field>
          <Field label="Worth" error={cents === null ? "Write an amount such as 120 or 120,50." : undefined}>
            <input inputMode="decimal" placeholder="0.00" value={value} onInput={(event) => setValue(event.currentTarget.value)} />
          </Field>
          <Field label="Next step on">
            <input type="date" value={nextStep} onInput={(event) => setNextStep(event.currentTarget.value)} />
          </Field>
          <Field label="Stage">
            <select value={stage} onChange={(event) => setStage(event.currentTarget.value as Stage)}>
              {STAGES.map(({ key, name }) => <option key={key} value={key}>{name}</option>)}
            </select>
          </Field>
          {stage === "lost" && (
            <Field label="Why it was lost">
              <input value={reason} onInput={(event) => setReason(event.currentTarget.value)} />
            </Field>
          )}
        </div>
        <footer class="form-foot">
          {lead && <button class="button button-danger push-left" type="button" disabled={saving} onClick={remove}>Remove</button>}
          <button class="button" type="button" onClick={onClose}>Cancel</button>
          <button class="button button-primary" disabled={saving || cents === null}>{saving ? "Saving…" : "Save"}</button>
        </footer>
      </form>
    </Dialog>
  );
}

interface CardProps {
  lead: Lead;
  today: string;
  open(): void;
  move(stage: Stage): void;
}

function LeadCard({ lead, today, open, move }: CardProps) {
  const place = STAGES.findIndex(({ key }) => key === lead.stage);
  const closed = lead.stage === "won" || lead.stage === "lost";
  const due = lead.next_step_on;
  return (
    <li
      class="lead-card"
      draggable
      onDragStart={(event) => event.dataTransfer!.setData("text/lead", lead.id)}
    >
      <button class="lead-open" type="button" onClick={open}>
        <strong>{lead.title}</strong>
        <span class="lead-client"><Avatar name={fullName(lead.client)} /> {fullName(lead.client)}</span>
      </button>
      <div class="lead-foot">
        <span class="amount">{formatCents(lead.value_cents)}</span>
        {lead.stage === "lost" && lead.lost_reason && <Badge tone="bad">{lead.lost_reason}</Badge>}
        {due && !closed && <Badge tone={due <= today ? "warn" : "calm"}>{due === today ? "today" : dayLabel(due, { day: "numeric", month: "short" })}</Badge>}
        {!closed && (
          <button
            class="icon-button small lead-move"
            type="button"
            aria-label={`Move ${lead.title} to ${STAGES[place + 1].name}`}
            title={`Move to ${STAGES[place + 1].name}`}
            onClick={() => move(STAGES[place + 1].key)}
          >
            <Icon name="right" size={16} />
          </button>
        )}
      </div>
    </li>
  );
}

export function LeadsPage() {
  const { data, error, reload } = useQuery(listLeads, []);
  const [editing, setEditing] = useState<Lead | "new" | null>(null);
  const [shown, setShown] = useState<Stage>("new");
  const [over, setOver] = useState<Stage | null>(null);
  const today = wallOf(new Date(), timeZone).day;
  const openValue = (data ?? []).filter(({ stage }) => stage !== "won" && stage !== "lost").reduce((sum, lead) => sum + lead.value_cents, 0);

  const move = async (id: string, stage: Stage) => {
    try {
      await moveLead(id, stage);
      reload();
    } catch (failure) {
      problem(failure);
    }
  };
  const drop = (event: DragEvent, stage: Stage) => {
    event.preventDefault();
    setOver(null);
    const id = event.dataTransfer!.getData("text/lead");
    if (id && data?.find((lead) => lead.id === id)?.stage !== stage) void move(id, stage);
  };

  return (
    <>
      <PageHead title="Leads" lead={data ? `${formatCents(openValue)} in the making` : "Who may become a client next."}>
        <button class="button button-primary" type="button" onClick={() => setEditing("new")}>
          <Icon name="plus" size={18} /> <span>New lead</span>
        </button>
      </PageHead>
      {error ? (
        <ErrorState message={error} retry={reload} />
      ) : !data ? (
        <Loading label="Loading leads" />
      ) : data.length === 0 ? (
        <EmptyState icon="board" title="No leads yet">When somebody asks, write it down here.</EmptyState>
      ) : (
        <>
          <div class="board-tabs">
            <Segments
              label="Stage"
              value={shown}
              options={STAGES.map(({ key, name }) => ({ value: key, label: `${name} ${data.filter(({ stage }) => stage === key).length}` }))}
              onChange={setShown}
            />
          </div>
          <div class="board">
            {STAGES.map(({ key, name }) => {
              const leads = data.filter(({ stage }) => stage === key);
              return (
                <section
                  key={key}
                  class={`column column-${key}${shown === key ? " column-shown" : ""}${over === key ? " column-over" : ""}`}
                  aria-label={name}
                  onDragOver={(event) => {
                    event.preventDefault();
                    setOver(key);
                  }}
                  onDragLeave={() => setOver(null)}
                  onDrop={(event) => drop(event, key)}
                >
                  <h2>{name} <span>{leads.length}</span></h2>
                  <ul>
                    {leads.map((lead) => (
                      <LeadCard key={lead.id} lead={lead} today={today} open={() => setEditing(lead)} move={(stage) => void move(lead.id, stage)} />
                    ))}
                    {leads.length === 0 && <li class="column-empty">Nobody here</li>}
                  </ul>
                </section>
              );
            })}
          </div>
        </>
      )}
      {editing && (
        <LeadForm
          lead={editing === "new" ? null : editing}
          onClose={() => setEditing(null)}
          onSaved={() => {
            setEditing(null);
            reload();
          }}
        />
      )}
    </>
  );
}
