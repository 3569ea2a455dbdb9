// Everything from outside is stored first and worked on afterwards. A row that fails keeps its error and is
// tried again with the next event; a module that is off leaves its rows waiting.

import { log } from "./http.ts";
import { first, insertNew, Row, select, update } from "./rest.ts";

export interface Arrival {
  source: "amelia" | "whatsapp";
  action: string;
  subject?: string;
  dedupe_key: string;
  payload: unknown;
}

export interface Worker {
  source: Arrival["source"];
  isOpen(): Promise<boolean>;
  process(row: Row): Promise<void>;
}

const MAX_ATTEMPTS = 8;
const REPLAY_BATCH = 10;
const REPLAY_AFTER_MS = 30_000;

/** Answers the rows that are new; an event seen before adds nothing. */
export async function accept(arrivals: Arrival[]): Promise<Row[]> {
  if (arrivals.length === 0) return [];
  return await insertNew("webhook_inbox", "dedupe_key", arrivals);
}

export async function work(worker: Worker, rows: Row[]): Promise<void> {
  if (!await worker.isOpen()) return;
  for (const row of rows) await attempt(worker, row);
}

export async function replay(worker: Worker): Promise<number> {
  if (!await worker.isOpen()) return 0;
  const rows = await select("webhook_inbox", {
    source: `eq.${worker.source}`,
    processed_at: "is.null",
    attempts: `lt.${MAX_ATTEMPTS}`,
    received_at: `lt.${new Date(Date.now() - REPLAY_AFTER_MS).toISOString()}`,
    order: "received_at.asc",
    limit: String(REPLAY_BATCH),
  });
  for (const row of rows) await attempt(worker, row);
  return rows.length;
}

async function attempt(worker: Worker, row: Row): Promise<void> {
  const attempts = Number(row.attempts);
  const claimed = await update(
    "webhook_inbox",
    { id: `eq.${row.id}`, processed_at: "is.null", attempts: `eq.${attempts}` },
    { attempts: attempts + 1 },
  );
  if (claimed.length === 0) return;
  try {
    const superseded = await isSuperseded(row);
    if (!superseded) await worker.process(row);
    await update("webhook_inbox", { id: `eq.${row.id}` }, {
      processed_at: new Date().toISOString(),
      last_error: superseded ? "superseded by a later event" : null,
    });
  } catch (error) {
    const message = String((error as Error)?.message ?? error).slice(0, 500);
    await update("webhook_inbox", { id: `eq.${row.id}` }, { last_error: message });
    log(worker.source, "inbox_error", { id: row.id, attempts: attempts + 1, message });
  }
}

/** An event that failed must not overwrite what a later one about the same thing has already done. */
async function isSuperseded(row: Row): Promise<boolean> {
  if (!row.subject) return false;
  const later = await first("webhook_inbox", {
    select: "id",
    subject: `eq.${row.subject}`,
    received_at: `gt.${row.received_at}`,
    processed_at: "not.is.null",
  });
  return later !== undefined;
}
