import { useState } from "preact/hooks";
import { useQuery } from "../data/client";
import { addNote, archiveClient, listInteractions } from "../data/crm";
import { listClientAppointments } from "../data/scheduling";
import type { ClientRow, Interaction } from "../data/types";
import { timeZone } from "../env";
import { dayLabel, timeLabel, wallOf } from "../lib/calendar";
import { ago, fullName } from "../lib/names";
import { formatPhone } from "../lib/phone";
import { isOn } from "../modules";
import { Badge } from "../ui/badge";
import { Dialog } from "../ui/dialog";
import { ErrorState, Loading, toast } from "../ui/feedback";
import { useSaving } from "../ui/form";
import { Icon, type IconName } from "../ui/icon";
import { Avatar } from "../ui/person";
import { appointmentTone } from "./calendar";

const CHANNELS: Record<Interaction["channel"], { icon: IconName; name: string }> = {
  whatsapp: { icon: "chat", name: "WhatsApp" },
  phone: { icon: "phone", name: "Call" },
  email: { icon: "mail", name: "E-mail" },
  visit: { icon: "people", name: "Visit" },
  note: { icon: "note", name: "Note" },
};

function Appointments({ client }: { client: string }) {
  const { data, error, reload } = useQuery(() => listClientAppointments(client), [client]);
  if (error) return <ErrorState message={error} retry={reload} />;
  if (!data) return <Loading label="Loading appointments" rows={2} />;
  if (data.length === 0) return <p class="muted">None yet.</p>;
  return (
    <ul class="rows">
      {data.map((one) => {
        const { day, minutes } = wallOf(one.starts_at, timeZone);
        return (
          <li key={one.id} class="row">
            <span class="row-main">
              <strong>{one.service.name}</strong>
              <small>{dayLabel(day, { weekday: "short", day: "numeric", month: "short" })}, {timeLabel(minutes)} with {one.staff.full_name}</small>
            </span>
            <Badge tone={appointmentTone(one.status)}>{one.status}</Badge>
          </li>
        );
      })}
    </ul>
  );
}

function History({ client }: { client: string }) {
  const { data, error, reload } = useQuery(() => listInteractions(client), [client]);
  const [note, setNote] = useState("");
  const [saving, save] = useSaving();
  const submit = (event: Event) => {
    event.preventDefault();
    void save(async () => {
      await addNote(client, note.trim());
      setNote("");
      toast("Note added");
      reload();
    });
  };
  return (
    <>
      <form class="note-form" onSubmit={submit}>
        <input aria-label="New note" placeholder="Write a note" required value={note} onInput={(event) => setNote(event.currentTarget.value)} />
        <button class="button" disabled={saving || !note.trim()}>Add</button>
      </form>
      {error ? (
        <ErrorState message={error} retry={reload} />
      ) : !data ? (
        <Loading label="Loading history" rows={3} />
      ) : (
        <ol class="timeline">
          {data.map((one) => (
            <li key={one.id}>
              <Icon name={CHANNELS[one.channel].icon} size={16} />
              <p>{one.body}</p>
              <small>{CHANNELS[one.channel].name}{one.direction === "out" && ", from us"} · {ago(one.occurred_at)}</small>
            </li>
          ))}
        </ol>
      )}
    </>
  );
}

interface PanelProps {
  client: ClientRow;
  onClose(): void;
  onEdit(): void;
  onChange(): void;
}

export function ClientPanel({ client, onClose, onEdit, onChange }: PanelProps) {
  const [saving, save] = useSaving();
  const archive = () =>
    save(async () => {
      await archiveClient(client.id, client.archived_at === null);
      toast(client.archived_at ? "Client is active again" : "Client archived");
      onChange();
    });
  return (
    <Dialog title={fullName(client)} side onClose={onClose}>
      <div class="panel-body">
        <section class="client-card">
          <Avatar name={fullName(client)} large />
          <ul class="contacts">
            <li><Icon name="phone" size={16} />{client.phone_e164 ? <a href={`tel:${client.phone_e164}`}>{formatPhone(client.phone_e164)}</a> : "No telephone"}</li>
            <li><Icon name="mail" size={16} />{client.email ? <a href={`mailto:${client.email}`}>{client.email}</a> : "No e-mail"}</li>
            <li><Icon name="chat" size={16} />{client.whatsapp_opt_in_at ? "May be written to on WhatsApp" : "Not to be written to on WhatsApp"}</li>
          </ul>
        </section>
        <div class="badges">
          {client.tags.map((tag) => <Badge key={tag.id} tone="accent">{tag.name}</Badge>)}
          <Badge>{`from ${client.source}`}</Badge>
          {client.archived_at && <Badge tone="warn">archived</Badge>}
        </div>
        {client.notes && <p class="callout">{client.notes}</p>}
        {isOn("scheduling") && <><h3>Appointments</h3><Appointments client={client.id} /></>}
        <h3>History</h3>
        <History client={client.id} />
      </div>
      <footer class="form-foot">
        <button class="button" type="button" disabled={saving} onClick={archive}>{client.archived_at ? "Make active" : "Archive"}</button>
        <button class="button button-primary" type="button" onClick={onEdit}><Icon name="pencil" size={17} /> Edit</button>
      </footer>
    </Dialog>
  );
}
