import { useState } from "preact/hooks";
import { supabase, useQuery } from "../data/client";
import { listServices } from "../data/scheduling";
import { listProfiles, recentEvents } from "../data/settings";
import type { Profile } from "../data/types";
import { environment } from "../env";
import { formatCents } from "../lib/money";
import { ago } from "../lib/names";
import { isOn, MODULES } from "../modules";
import { applyTheme, storedTheme, type Theme } from "../theme";
import { Badge } from "../ui/badge";
import { EmptyState, ErrorState, Loading } from "../ui/feedback";
import { Segments } from "../ui/form";
import { Icon } from "../ui/icon";
import { PageHead } from "../ui/page";
import { Avatar } from "../ui/person";

function Account({ profile }: { profile: Profile }) {
  const [theme, setTheme] = useState<Theme>(storedTheme());
  return (
    <section class="card">
      <header class="card-head"><h2>You</h2></header>
      <div class="row">
        <Avatar name={profile.full_name} large />
        <span class="row-main"><strong>{profile.full_name}</strong><small>{profile.role}</small></span>
        <button class="button" type="button" onClick={() => supabase.auth.signOut()}><Icon name="out" size={18} /> Sign out</button>
      </div>
      <div class="setting">
        <span>Appearance</span>
        <Segments
          label="Appearance"
          value={theme}
          options={[
            { value: "auto", label: <><Icon name="auto" size={16} /> Auto</>, name: "Auto" },
            { value: "light", label: <><Icon name="sun" size={16} /> Light</>, name: "Light" },
            { value: "dark", label: <><Icon name="moon" size={16} /> Dark</>, name: "Dark" },
          ]}
          onChange={(next) => {
            applyTheme(next);
            setTheme(next);
          }}
        />
      </div>
    </section>
  );
}

function Modules() {
  return (
    <section class="card">
      <header class="card-head"><h2>Modules</h2></header>
      <ul class="rows">
        {MODULES.map((module) => (
          <li key={module.key} class="row">
            <span class="tile"><Icon name={module.pages[0].icon} /></span>
            <span class="row-main"><strong>{module.name}</strong><small>{module.purpose}</small></span>
            <Badge tone={isOn(module.key) ? "good" : "calm"}>{isOn(module.key) ? "on" : "off"}</Badge>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Team() {
  const { data, error, reload } = useQuery(listProfiles, []);
  return (
    <section class="card">
      <header class="card-head"><h2>Team</h2></header>
      {error ? <ErrorState message={error} retry={reload} /> : !data ? <Loading label="Loading the team" rows={2} /> : (
        <ul class="rows">
          {data.map((one) => (
            <li key={one.user_id} class="row">
              <Avatar name={one.full_name} />
              <span class="row-main"><strong>{one.full_name}</strong></span>
              <Badge>{one.role}</Badge>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function Services() {
  const { data, error, reload } = useQuery(listServices, []);
  return (
    <section class="card">
      <header class="card-head"><h2>Services</h2></header>
      {error ? <ErrorState message={error} retry={reload} /> : !data ? <Loading label="Loading services" rows={4} /> : (
        <ul class="rows">
          {data.map((service) => (
            <li key={service.id} class="row">
              <span class="row-main"><strong>{service.name}</strong><small>{service.duration_min} min</small></span>
              <span class="amount">{service.price_cents > 0 ? formatCents(service.price_cents) : "free"}</span>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function Connections() {
  const { data, error, reload } = useQuery(recentEvents, []);
  return (
    <section class="card">
      <header class="card-head"><h2>Amelia and WhatsApp</h2></header>
      {error ? (
        <ErrorState message={error} retry={reload} />
      ) : !data ? (
        <Loading label="Loading events" rows={3} />
      ) : data.length === 0 ? (
        <EmptyState icon="chat" title="Nothing has come in yet">Bookings from Amelia and messages from WhatsApp are listed here.</EmptyState>
      ) : (
        <ul class="rows">
          {data.map((event) => (
            <li key={event.id} class="row">
              <span class="row-main">
                <strong>{event.source === "amelia" ? "Amelia" : "WhatsApp"}: {event.action}</strong>
                <small>{event.last_error ?? ago(event.received_at)}</small>
              </span>
              <Badge tone={event.processed_at ? "good" : event.attempts > 0 ? "bad" : "warn"}>
                {event.processed_at ? "done" : event.attempts > 0 ? `failed ${event.attempts}×` : "waiting"}
              </Badge>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

export function SettingsPage({ profile }: { profile: Profile }) {
  return (
    <>
      <PageHead title="Settings" />
      <div class="masonry">
        <Account profile={profile} />
        <Modules />
        <Team />
        <Services />
        {profile.role !== "staff" && <Connections />}
        <section class="card">
          <header class="card-head"><h2>About this copy</h2></header>
          <dl class="facts">
            <div><dt>Environment</dt><dd>{environment!.name}</dd></div>
            <div><dt>Release</dt><dd>{environment!.release}</dd></div>
            <div><dt>Time zone</dt><dd>{environment!.timeZone}</dd></div>
          </dl>
        </section>
      </div>
    </>
  );
}
