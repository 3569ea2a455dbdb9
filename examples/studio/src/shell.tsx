import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import type { Profile } from "./data/types";
import { environment } from "./env";
import { modulesOn, type Page } from "./modules";
import { followInside } from "./router";
import { Icon } from "./ui/icon";
import { Avatar } from "./ui/person";

const TODAY: Page = { path: "/", label: "Today", icon: "today" };
const SETTINGS: Page = { path: "/settings", label: "Settings", icon: "settings" };

export function EnvironmentBadge() {
  const { name, release } = environment!;
  const live = name === "production";
  return (
    <span class={live ? "environment environment-live" : "environment"} title={`Release ${release}`}>
      {name}
    </span>
  );
}

export function Wordmark() {
  return (
    <span class="wordmark">
      <img src="/favicon.svg" width="28" height="28" alt="" />
      Studio
    </span>
  );
}

function NavLink({ page, path }: { page: Page; path: string }) {
  return (
    <a class="nav-link" href={page.path} aria-current={path === page.path ? "page" : undefined}>
      <Icon name={page.icon} />
      <span>{page.label}</span>
    </a>
  );
}

export function Shell({ path, profile, children }: { path: string; profile: Profile; children: ComponentChildren }) {
  const pages = modulesOn().flatMap((module) => module.pages);
  const title = [TODAY, ...pages, SETTINGS].find((page) => page.path === path)?.label;
  useEffect(() => {
    document.title = title ? `${title} · Studio` : "Studio";
  }, [title]);
  return (
    <div class={environment!.name === "production" ? "shell" : "shell shell-rehearsal"} onClick={followInside}>
      <a class="skip" href="#content">Skip to content</a>
      <header class="side">
        <div class="side-head">
          <Wordmark />
          <EnvironmentBadge />
        </div>
        <nav class="nav" aria-label="Main">
          <NavLink page={TODAY} path={path} />
          {modulesOn().map((module) => (
            <div class="nav-group" key={module.key} role="group" aria-label={module.name}>
              <span class="nav-heading">{module.name}</span>
              {module.pages.map((page) => <NavLink key={page.path} page={page} path={path} />)}
            </div>
          ))}
          <div class="nav-end">
            <NavLink page={SETTINGS} path={path} />
          </div>
        </nav>
        <a class="me" href="/settings">
          <Avatar name={profile.full_name} />
          <span>
            <strong>{profile.full_name}</strong>
            <small>{profile.role}</small>
          </span>
        </a>
        <p class="release" title="Release">{environment!.release}</p>
      </header>
      <main id="content" tabIndex={-1}>{children}</main>
    </div>
  );
}
