import type { Session } from "@supabase/supabase-js";
import { useEffect, useState } from "preact/hooks";
import { supabase } from "./data/client";
import { ownProfile } from "./data/settings";
import type { Profile } from "./data/types";
import { environment } from "./env";
import { isOn, moduleOf, useModules } from "./modules";
import { CalendarPage } from "./pages/calendar";
import { ClientsPage } from "./pages/clients";
import { InvoicesPage } from "./pages/invoices";
import { LeadsPage } from "./pages/leads";
import { ModuleOffPage } from "./pages/module-off";
import { SettingsPage } from "./pages/settings";
import { SignInPage } from "./pages/sign-in";
import { TodayPage } from "./pages/today";
import { usePath } from "./router";
import { Shell } from "./shell";
import { EmptyState, Toasts } from "./ui/feedback";

const PAGES: Record<string, () => preact.JSX.Element> = {
  "/clients": ClientsPage,
  "/leads": LeadsPage,
  "/calendar": CalendarPage,
  "/invoices": InvoicesPage,
};

function CurrentPage({ path, profile }: { path: string; profile: Profile }) {
  const module = moduleOf(path);
  if (module && !isOn(module.key)) return <ModuleOffPage module={module} />;
  if (path === "/") return <TodayPage profile={profile} />;
  if (path === "/settings") return <SettingsPage profile={profile} />;
  const Page = PAGES[path];
  if (Page) return <Page />;
  return (
    <EmptyState icon="search" title="There is no such page" action={<a class="button" href="/">Go to today</a>}>
      Nothing lives at <code>{path}</code>.
    </EmptyState>
  );
}

function SignedIn({ session }: { session: Session }) {
  const path = usePath();
  const [profile, setProfile] = useState<Profile | null>();
  useEffect(() => {
    ownProfile(session.user.id).then(setProfile, () => setProfile(null));
  }, [session.user.id]);
  if (profile === undefined) return <div class="boot" role="status" aria-label="Loading" />;
  if (profile === null) {
    return (
      <main class="alone">
        <EmptyState
          icon="people"
          title="You are signed in, but not part of the studio yet"
          action={<button class="button" type="button" onClick={() => supabase.auth.signOut()}>Sign out</button>}
        >
          Ask an owner to give {session.user.email} a profile, or check your connection and load the page again.
        </EmptyState>
      </main>
    );
  }
  return (
    <Shell path={path} profile={profile}>
      <CurrentPage path={path} profile={profile} />
    </Shell>
  );
}

export function App() {
  const [session, setSession] = useState<Session | null>();
  const modulesKnown = useModules();
  useEffect(() => {
    if (!environment) return;
    const { data } = supabase.auth.onAuthStateChange((_event, next) => setSession(next));
    return () => data.subscription.unsubscribe();
  }, []);
  if (!environment) {
    return (
      <main class="alone">
        <EmptyState icon="alert" title="This copy of the studio has no environment">
          <code>/_lockflight/env.js</code> did not say where the database is. It is written when a release is deployed.
        </EmptyState>
      </main>
    );
  }
  return (
    <>
      {(session === undefined || (session && !modulesKnown)) && <div class="boot" role="status" aria-label="Loading" />}
      {session === null && <SignInPage />}
      {session && modulesKnown && <SignedIn session={session} />}
      <Toasts />
    </>
  );
}
