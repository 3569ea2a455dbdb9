import { cloneElement, type ComponentChildren, type VNode } from "preact";
import { useId, useState } from "preact/hooks";
import { problem } from "./feedback";

interface FieldProps {
  label: string;
  hint?: string;
  error?: string;
  wide?: boolean;
  roomy?: boolean;
  children: VNode<any>;
}

export function Field({ label, hint, error, wide, roomy, children }: FieldProps) {
  const id = useId();
  const described = error || hint ? `${id}-more` : undefined;
  return (
    <div class={`field${wide ? " field-wide" : ""}${roomy ? " field-roomy" : ""}`}>
      <label for={id}>{label}</label>
      {cloneElement(children, { id, "aria-describedby": described, "aria-invalid": error ? "true" : undefined })}
      {described && <small id={described} class={error ? "field-error" : "field-hint"}>{error ?? hint}</small>}
    </div>
  );
}

/** A form that cannot be sent twice: `save` runs, and what it throws is shown. */
export function useSaving(): [boolean, (save: () => Promise<void>) => Promise<void>] {
  const [saving, setSaving] = useState(false);
  const run = async (save: () => Promise<void>) => {
    if (saving) return;
    setSaving(true);
    try {
      await save();
    } catch (error) {
      problem(error);
    } finally {
      setSaving(false);
    }
  };
  return [saving, run];
}

export function Segments<T extends string>(props: {
  label: string;
  value: T;
  options: { value: NoInfer<T>; label: ComponentChildren; name?: string }[];
  onChange(value: NoInfer<T>): void;
}) {
  return (
    <div class="segments" role="group" aria-label={props.label}>
      {props.options.map((option) => (
        <button
          key={option.value}
          type="button"
          aria-pressed={option.value === props.value}
          aria-label={option.name}
          onClick={() => props.onChange(option.value)}
        >
          {option.label}
        </button>
      ))}
    </div>
  );
}
