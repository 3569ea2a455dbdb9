import { useEffect, useState } from "preact/hooks";
import { useQuery } from "../data/client";
import { CLIENT_PAGE, listClients } from "../data/crm";
import type { ClientRow } from "../data/types";
import { fullName } from "../lib/names";
import { formatPhone } from "../lib/phone";
import { Badge } from "../ui/badge";
import { EmptyState, ErrorState, Loading } from "../ui/feedback";
import { Segments } from "../ui/form";
import { Icon } from "../ui/icon";
import { PageHead } from "../ui/page";
import { Avatar } from "../ui/person";
import { ClientForm } from "./client-form";
import { ClientPanel } from "./client-panel";

function useSettled(value: string, delay: number): string {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), delay);
    return () => clearTimeout(timer);
  }, [value]);
  return settled;
}

function ClientList({ clients, open }: { clients: ClientRow[]; open(client: ClientRow): void }) {
  return (
    <ul class="list" aria-label="Clients">
      {clients.map((client) => (
        <li key={client.id}>
          <button class="list-row client-row" type="button" onClick={() => open(client)}>
            <Avatar name={fullName(client)} />
            <span class="row-main">
              <strong>{fullName(client)}</strong>
              <small>{client.email ?? "No e-mail"}</small>
            </span>
            <span class="client-phone">{formatPhone(client.phone_e164)}</span>
            <span class="client-tags">{client.tags.map((tag) => <Badge key={tag.id}>{tag.name}</Badge>)}</span>
            <Icon name="right" size={18} />
          </button>
        </li>
      ))}
    </ul>
  );
}

export function ClientsPage() {
  const [search, setSearch] = useState("");
  const [shown, setShown] = useState<"active" | "archived">("active");
  const [opened, setOpened] = useState<ClientRow | null>(null);
  const [editing, setEditing] = useState<ClientRow | "new" | null>(null);
  const settled = useSettled(search, 200);
  const { data, error, reload } = useQuery(() => listClients(settled, shown === "archived"), [settled, shown]);
  const current = opened && (data?.find(({ id }) => id === opened.id) ?? opened);

  const saved = () => {
    setEditing(null);
    reload();
  };

  return (
    <>
      <PageHead title="Clients" lead="Everyone the studio takes care of.">
        <button class="button button-primary" type="button" onClick={() => setEditing("new")}>
          <Icon name="plus" size={18} /> <span>New client</span>
        </button>
      </PageHead>
      <div class="toolbar">
        <label class="search">
          <Icon name="search" size={18} />
          <input
            type="search"
            placeholder="Search name, e-mail or telephone"
            aria-label="Search clients"
            value={search}
            onInput={(event) => setSearch(event.currentTarget.value)}
          />
        </label>
        <Segments
          label="Which clients"
          value={shown}
          options={[{ value: "active", label: "Active" }, { value: "archived", label: "Archived" }]}
          onChange={setShown}
        />
      </div>
      {error ? (
        <ErrorState message={error} retry={reload} />
      ) : !data ? (
        <Loading label="Loading clients" rows={8} />
      ) : data.length === 0 ? (
        settled ? (
          <EmptyState icon="search" title="Nobody by that name">Try fewer letters, or part of a telephone number.</EmptyState>
        ) : (
          <EmptyState icon="people" title={shown === "archived" ? "Nobody is archived" : "No clients yet"}>
            {shown === "archived" ? "Clients you archive are kept here." : "Add the first one, or let Amelia and WhatsApp bring them in."}
          </EmptyState>
        )
      ) : (
        <>
          <ClientList clients={data} open={setOpened} />
          <p class="count">
            {data.length === CLIENT_PAGE ? `The first ${CLIENT_PAGE}; search to narrow them down` : `${data.length} ${data.length === 1 ? "client" : "clients"}`}
          </p>
        </>
      )}
      {current && !editing && (
        <ClientPanel
          client={current}
          onClose={() => setOpened(null)}
          onEdit={() => setEditing(current)}
          onChange={() => {
            setOpened(null);
            reload();
          }}
        />
      )}
      {editing && <ClientForm client={editing === "new" ? null : editing} onClose={() => setEditing(null)} onSaved={saved} />}
    </>
  );
}
