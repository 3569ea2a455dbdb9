import type { Module } from "../modules";
import { EmptyState } from "../ui/feedback";

export function ModuleOffPage({ module }: { module: Module }) {
  return (
    <EmptyState
      icon={module.pages[0].icon}
      title={`${module.name} is switched off`}
      action={<a class="button" href="/">Go to today</a>}
    >
      {module.purpose} Nothing is lost: its data is kept, and what arrives from outside waits until it is on again.
    </EmptyState>
  );
}
