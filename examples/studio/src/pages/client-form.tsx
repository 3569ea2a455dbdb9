import { useState } from "preact/hooks";
import { saveClient } from "../data/crm";
import type { Client } from "../data/types";
import { formatPhone, normalisePhone } from "../lib/phone";
import { Dialog } from "../ui/dialog";
import { toast } from "../ui/feedback";
import { Field, useSaving } from "../ui/form";

const BLANK = { first_name: "", last_name: "", email: "", phone: "", birth_date: "", notes: "", opted_in: false };

function fieldsOf(client: Client | null) {
  if (!client) return BLANK;
  return {
    first_name: client.first_name,
    last_name: client.last_name,
    email: client.email ?? "",
    phone: formatPhone(client.phone_e164),
    birth_date: client.birth_date ?? "",
    notes: client.notes,
    opted_in: client.whatsapp_opt_in_at !== null,
  };
}

export function ClientForm({ client, onClose, onSaved }: { client: Client | null; onClose(): void; onSaved(): void }) {
  const [fields, setFields] = useState(fieldsOf(client));
  const [phoneError, setPhoneError] = useState<string>();
  const [saving, save] = useSaving();
  const set = (name: keyof typeof BLANK) => (event: { currentTarget: HTMLInputElement | HTMLTextAreaElement }) =>
    setFields({ ...fields, [name]: event.currentTarget.value });

  const submit = (event: Event) => {
    event.preventDefault();
    const phone = fields.phone.trim() ? normalisePhone(fields.phone) : null;
    if (fields.phone.trim() && !phone) {
      setPhoneError("That is not a telephone number. Abroad, begin with + and the country.");
      return;
    }
    void save(async () => {
      await saveClient(client?.id ?? null, {
        first_name: fields.first_name.trim(),
        last_name: fields.last_name.trim(),
        email: fields.email.trim().toLowerCase() || null,
        phone_e164: phone,
        birth_date: fields.birth_date || null,
        source: client?.source ?? "manual",
        whatsapp_opt_in_at: fields.opted_in ? (client?.whatsapp_opt_in_at ?? new Date().toISOString()) : null,
        notes: fields.notes.trim(),
      });
      toast(client ? "Client saved" : "Client added");
      onSaved();
    });
  };

  return (
    <Dialog title={client ? "Edit client" : "New client"} onClose={onClose}>
      <form class="form" onSubmit={submit}>
        <div class="form-body">
          <Field label="First name">
            <input required maxLength={80} value={fields.first_name} onInput={set("first_name")} />
          </Field>
          <Field label="Last name">
            <input maxLength={80} value={fields.last_name} onInput={set("last_name")} />
          </Field>
          <Field label="E-mail" roomy>
            <input type="email" value={fields.email} onInput={set("email")} />
          </Field>
          <Field label="Telephone" roomy error={phoneError}>
            <input
              type="tel"
              value={fields.phone}
              onInput={(event) => {
                setPhoneError(undefined);
                set("phone")(event);
              }}
            />
          </Field>
          <Field label="Birthday">
            <input type="date" value={fields.birth_date} onInput={set("birth_date")} />
          </Field>
          <label class="check field-roomy">
            <input
              type="checkbox"
              checked={fields.opted_in}
              onChange={(event) => setFields({ ...fields, opted_in: event.currentTarget.checked })}
            />
            Agreed to WhatsApp messages
          </label>
          <Field label="Notes" wide>
            <textarea rows={3} value={fields.notes} onInput={set("notes")} />
          </Field>
        </div>
        <footer class="form-foot">
          <button class="button" type="button" onClick={onClose}>Cancel</button>
          <button class="button button-primary" disabled={saving}>{saving ? "Saving…" : "Save"}</button>
        </footer>
      </form>
    </Dialog>
  );
}
