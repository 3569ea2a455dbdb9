import type { ComponentChildren } from "preact";

export type Tone = "calm" | "good" | "warn" | "bad" | "accent";

export function Badge({ tone = "calm", children }: { tone?: Tone; children: ComponentChildren }) {
  return <span class={`badge badge-${tone}`}>{children}</span>;
}
