import { hueOf, initials } from "../lib/names";

export function Avatar({ name, large }: { name: string; large?: boolean }) {
  return (
    <span class={`avatar tint-${hueOf(name)}${large ? " avatar-large" : ""}`} aria-hidden="true">
      {initials(name)}
    </span>
  );
}
