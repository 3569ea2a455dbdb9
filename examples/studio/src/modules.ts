// The one place that decides which modules are on. Menu, router and pages ask here and nowhere else; the flag of a module
// has the module's own name. A switch hides; what forbids is the database, whose policies ask the same flags.

import { useEffect, useState } from "preact/hooks";
import { flag, startFlags } from "./flags";
import type { IconName } from "./ui/icon";

export type ModuleKey = "crm" | "scheduling" | "financial";

export interface Page {
  path: string;
  label: string;
  icon: IconName;
}

export interface Module {
  key: ModuleKey;
  name: string;
  purpose: string;
  pages: Page[];
}

export const MODULES: Module[] = [
  {
    key: "crm",
    name: "CRM",
    purpose: "Clients, their story with the studio, and the leads that may become one.",
    pages: [
      { path: "/clients", label: "Clients", icon: "people" },
      { path: "/leads", label: "Leads", icon: "board" },
    ],
  },
  {
    key: "scheduling",
    name: "Scheduling",
    purpose: "The week of everyone in the studio, and who comes when.",
    pages: [{ path: "/calendar", label: "Calendar", icon: "calendar" }],
  },
  {
    key: "financial",
    name: "Financial",
    purpose: "Invoices, what was paid, and what is still owed.",
    pages: [{ path: "/invoices", label: "Invoices", icon: "receipt" }],
  },
];

// lockflight: flag crm, scheduling, financial
let ask = (key: ModuleKey): boolean => flag(key, true);

/** For tests. */
export function setModulesOff(keys: Iterable<string>): void {
  const off = new Set(keys);
  ask = (key) => !off.has(key);
}

export function isOn(key: ModuleKey): boolean {
  return ask(key);
}

/** False until the flags are known. Whoever uses it is drawn again when a module is switched on or off. */
export function useModules(): boolean {
  const [known, setKnown] = useState(false);
  const [, draw] = useState("");
  useEffect(() => {
    const changed = () => draw(modulesOn().map(({ key }) => key).join());
    startFlags(changed).then(() => setKnown(true));
  }, []);
  return known;
}

export function modulesOn(): Module[] {
  return MODULES.filter((module) => isOn(module.key));
}

/** The module that owns an address, whether it is on or off; null for addresses of no module. */
export function moduleOf(path: string): Module | null {
  const owns = (page: Page) => path === page.path || path.startsWith(`${page.path}/`);
  return MODULES.find((module) => module.pages.some(owns)) ?? null;
}
