import { useEffect, useState } from "preact/hooks";
import { useQuery } from "../data/client";
import { listClientNames } from "../data/crm";
import { listItems, saveInvoice } from "../data/financial";
import { listServices } from "../data/scheduling";
import type { Invoice, InvoiceItem, Service } from "../data/types";
import { centsToInput, formatCents, parseMoney, totalsOf } from "../lib/money";
import { fullName } from "../lib/names";
import { Dialog } from "../ui/dialog";
import { Loading, problem, toast } from "../ui/feedback";
import { Field, useSaving } from "../ui/form";
import { Icon } from "../ui/icon";

interface LineFields {
  service_id: string | null;
  description: string;
  qty: string;
  price: string;
  tax: string;
}

const BLANK: LineFields = { service_id: null, description: "", qty: "1", price: "", tax: "23" };

function toFields(item: InvoiceItem): LineFields {
  return {
    service_id: item.service_id,
    description: item.description,
    qty: String(item.qty),
    price: centsToInput(item.unit_cents),
    tax: String(item.tax_rate),
  };
}

function toItem(line: LineFields): InvoiceItem | null {
  const unit = parseMoney(line.price);
  const qty = Number(line.qty.replace(",", "."));
  const tax = Number(line.tax.replace(",", "."));
  if (unit === null || !line.description.trim() || !(qty > 0 && qty < 1e6) || !(tax >= 0 && tax <= 100)) return null;
  return {
    service_id: line.service_id,
    description: line.description.trim(),
    qty: Math.round(qty * 100) / 100,
    unit_cents: unit,
    tax_rate: tax,
  };
}

/** Prices of services include tax; an invoice line shows the net price. */
function lineOf(service: Service, tax: string): LineFields {
  const net = Math.round(service.price_cents / (1 + Number(tax) / 100));
  return { service_id: service.id, description: service.name, qty: "1", price: centsToInput(net), tax };
}

interface LineProps {
  line: LineFields;
  place: number;
  removable: boolean;
  change(line: LineFields): void;
  remove(): void;
}

function LineEditor({ line, place, removable, change, remove }: LineProps) {
  const set = (name: keyof LineFields) => (event: { currentTarget: HTMLInputElement }) => change({ ...line, [name]: event.currentTarget.value });
  const label = (what: string) => `${what} of line ${place + 1}`;
  return (
    <div class="line-editor">
      <input class="line-what" list="services" required aria-label={label("Description")} placeholder="What" value={line.description} onInput={set("description")} />
      <input class="number" required inputMode="decimal" aria-label={label("Quantity")} value={line.qty} onInput={set("qty")} />
      <input class="number" required inputMode="decimal" aria-label={label("Net price")} placeholder="0.00" value={line.price} onInput={set("price")} />
      <input class="number" required inputMode="decimal" aria-label={label("Tax per cent")} value={line.tax} onInput={set("tax")} />
      <button class="icon-button" type="button" aria-label={`Remove line ${place + 1}`} disabled={!removable} onClick={remove}><Icon name="trash" size={18} /></button>
    </div>
  );
}

export function InvoiceEditor({ invoice, onClose, onSaved }: { invoice: Invoice | null; onClose(): void; onSaved(id: string): void }) {
  const clients = useQuery(listClientNames, []);
  const services = useQuery(listServices, []);
  const [clientId, setClientId] = useState(invoice?.client_id ?? "");
  const [dueOn, setDueOn] = useState(invoice?.due_on ?? "");
  const [notes, setNotes] = useState(invoice?.notes ?? "");
  const [lines, setLines] = useState<LineFields[] | null>(invoice ? null : [BLANK]);
  const [saving, save] = useSaving();
  useEffect(() => {
    if (invoice) listItems(invoice.id).then((items) => setLines(items.length > 0 ? items.map(toFields) : [BLANK]), problem);
  }, []);

  const items = (lines ?? []).map(toItem);
  const valid = items.filter((item): item is InvoiceItem => item !== null);
  const totals = totalsOf(valid);
  const changeLine = (place: number, line: LineFields) => {
    const known = line.description !== lines![place].description && services.data?.find(({ name }) => name === line.description);
    setLines(lines!.map((old, index) => (index === place ? (known ? { ...lineOf(known, line.tax), qty: line.qty } : line) : old)));
  };
  const submit = (event: Event) => {
    event.preventDefault();
    if (valid.length !== items.length) {
      problem("Every line needs a description, a quantity, a price and a tax rate.");
      return;
    }
    void save(async () => {
      const draft = { ...(invoice ? { id: invoice.id } : {}), client_id: clientId, due_on: dueOn || null, notes: notes.trim() };
      const id = await saveInvoice(draft, valid);
      toast("Draft saved");
      onSaved(id);
    });
  };

  return (
    <Dialog title={invoice ? "Edit draft" : "New invoice"} onClose={onClose}>
      <form class="form" onSubmit={submit}>
        <div class="form-body">
          <Field label="Client" roomy>
            <select required value={clientId} onChange={(event) => setClientId(event.currentTarget.value)}>
              <option value="">Choose…</option>
              {clients.data?.map((client) => <option key={client.id} value={client.id}>{fullName(client)}</option>)}
            </select>
          </Field>
          <Field label="Due on" roomy hint="Empty means two weeks after it is issued.">
            <input type="date" value={dueOn} onInput={(event) => setDueOn(event.currentTarget.value)} />
          </Field>
          <div class="field-wide">
            <div class="line-editor line-heads" aria-hidden="true"><span>What</span><span>Qty</span><span>Net each</span><span>Tax %</span><span /></div>
            {lines === null ? (
              <Loading label="Loading the lines" rows={2} />
            ) : (
              lines.map((line, place) => (
                <LineEditor
                  key={place}
                  line={line}
                  place={place}
                  removable={lines.length > 1}
                  change={(next) => changeLine(place, next)}
                  remove={() => setLines(lines.filter((_, index) => index !== place))}
                />
              ))
            )}
            <datalist id="services">{services.data?.map((service) => <option key={service.id} value={service.name} />)}</datalist>
            <button class="button" type="button" onClick={() => setLines([...(lines ?? []), BLANK])}><Icon name="plus" size={16} /> Add a line</button>
          </div>
          <Field label="Note on the invoice" wide>
            <textarea rows={2} value={notes} onInput={(event) => setNotes(event.currentTarget.value)} />
          </Field>
        </div>
        <footer class="form-foot">
          <p class="editor-total push-left"><span>Total</span> <strong>{formatCents(totals.total)}</strong> <small>incl. {formatCents(totals.tax)} tax</small></p>
          <button class="button" type="button" onClick={onClose}>Cancel</button>
          <button class="button button-primary" disabled={saving || lines === null}>{saving ? "Saving…" : "Save draft"}</button>
        </footer>
      </form>
    </Dialog>
  );
}
