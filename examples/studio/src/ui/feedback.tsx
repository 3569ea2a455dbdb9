import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Icon, type IconName } from "./icon";

export function Loading({ label, rows = 5 }: { label: string; rows?: number }) {
  return (
    <div class="skeleton" role="status" aria-label={label}>
      {Array.from({ length: rows }, (_, index) => (
        <span key={index} class="skeleton-row" />
      ))}
    </div>
  );
}

interface StateProps {
  icon: IconName;
  title: string;
  children?: ComponentChildren;
  action?: ComponentChildren;
}

export function EmptyState({ icon, title, children, action }: StateProps) {
  return (
    <div class="state">
      <span class="state-icon"><Icon name={icon} size={26} /></span>
      <h2>{title}</h2>
      {children && <p>{children}</p>}
      {action}
    </div>
  );
}

export function ErrorState({ message, retry }: { message: string; retry(): void }) {
  return (
    <div class="state state-error" role="alert">
      <span class="state-icon"><Icon name="alert" size={26} /></span>
      <h2>That did not load</h2>
      <p>{message}</p>
      <button class="button" type="button" onClick={retry}>Try again</button>
    </div>
  );
}

interface Toast {
  text: string;
  kind: "done" | "problem";
}

let show: (toast: Toast) => void = () => {};

export function toast(text: string): void {
  show({ text, kind: "done" });
}

export function problem(error: unknown): void {
  show({ text: String((error as Error)?.message ?? error), kind: "problem" });
}

export function Toasts() {
  const [current, setCurrent] = useState<Toast | null>(null);
  show = setCurrent;
  useEffect(() => {
    if (!current) return;
    const timer = setTimeout(() => setCurrent(null), current.kind === "problem" ? 7000 : 3500);
    return () => clearTimeout(timer);
  }, [current]);
  return (
    <div class="toasts" aria-live="polite">
      {current && (
        <div class={`toast toast-${current.kind}`}>
          <Icon name={current.kind === "problem" ? "alert" : "check"} size={18} />
          {current.text}
        </div>
      )}
    </div>
  );
}
