// Keeps the newest flags that could be had. The database is asked for its version at most every two seconds, by one
// question at a time; while it does not answer, what was known goes on being served and is called stale.

import { FlagSet } from "./flag_set.ts";
import type { Snapshot } from "./snapshot.ts";

const ASK_EVERY_MS = 2_000;
const ASK_WHEN_DUE_MS = 200; // a schedule should have fired: our clock may be a little ahead of the database's

export interface Kept {
  flags: FlagSet;
  stale: boolean;
}

export class Keeper {
  private flags: FlagSet | null = null;
  private stale = false;
  private askedAt = -Infinity;
  private asking: Promise<void> | null = null;
  private doubtUntil = -Infinity;

  constructor(
    private readonly ask: (known: number | null) => Promise<Snapshot | null>,
    private readonly now: () => number = Date.now,
  ) {}

  /** Null: there were never any. `atLeast` is a version that the caller was told exists. */
  async current(atLeast = 0): Promise<Kept | null> {
    if (this.isDue()) await this.refresh();
    else if (this.asking) await this.asking;
    if (this.isBehind(atLeast)) await this.catchUp(atLeast);
    return this.flags && { flags: this.flags, stale: this.stale };
  }

  private isDue(): boolean {
    const age = this.now() - this.askedAt;
    return age >= ASK_EVERY_MS || age < 0 || (this.isScheduled() && age >= ASK_WHEN_DUE_MS);
  }

  private isScheduled(): boolean {
    const next = this.flags?.next ?? null;
    return next !== null && this.now() >= next * 1000;
  }

  private isBehind(atLeast: number): boolean {
    return (this.flags?.version ?? 0) < atLeast && this.now() >= this.doubtUntil;
  }

  /** The first answer may have been on its way before the version was there. One that does not exist is not asked for
   * again and again. */
  private async catchUp(atLeast: number): Promise<void> {
    await this.refresh();
    if (this.isBehind(atLeast)) await this.refresh();
    if (this.isBehind(atLeast)) this.doubtUntil = this.now() + ASK_EVERY_MS;
  }

  private refresh(): Promise<void> {
    this.asking ??= this.read().finally(() => this.asking = null);
    return this.asking;
  }

  private async read(): Promise<void> {
    this.askedAt = this.now();
    try {
      const known = this.flags && !this.isScheduled() ? this.flags.version : null;
      const snapshot = await this.ask(known);
      if (snapshot) this.flags = new FlagSet(snapshot);
      this.stale = false;
    } catch (error) {
      this.stale = true;
      console.error(JSON.stringify({ fn: "flags", event: "stale", message: String((error as Error)?.message ?? error) }));
    }
  }
}
