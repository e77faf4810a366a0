import type { OrganizationId } from '../kernel/index.js';
import type { LogEntry, LogHints, LogReader } from './ports.js';

/** The most entries kept in memory for readers that are up to date, per organization. */
const KEPT_ENTRIES = 5_000;
/** And the most characters of JSON that they may have: a few large events must not fill the memory. */
const KEPT_CHARACTERS = 32 * 1024 * 1024;
const PAGE_ENTRIES = 500;
/** How often to look without a hint. */
const BACKSTOP_MILLISECONDS = 500;

/** A reader's place in an organization's log. */
export interface Tail {
  /**
   * The entries from `position` on, as many as are at hand, at least one; waits until there is one.
   *
   * Resolves empty after `maxWaitMilliseconds` without any; null once the tail is closed.
   */
  next(position: number, maxWaitMilliseconds: number): Promise<readonly LogEntry[] | null>;
  /** How many events have a position now. */
  size(): Promise<number>;
  close(): void;
}

export interface Follower {
  /** Follows an organization's log, sharing one reading of its end with every other tail of this process. */
  tail(organizationId: OrganizationId): Tail;
  close(): void;
}

/**
 * Follows logs on behalf of many readers: the end of each log is read once for all of them; who is behind reads for itself
 * until it has caught up. Readers pull, so one that is slow holds nothing in memory and nobody up.
 */
export function followLogs(deps: {
  readonly reader: LogReader;
  readonly hints: LogHints;
  readonly report: (message: string, error: unknown) => void;
}): Follower {
  const shared = new Map<OrganizationId, SharedTail>();
  const unsubscribe = deps.hints.onGrowth((organizationId) => shared.get(organizationId)?.look());
  return {
    tail(organizationId) {
      const end = shared.get(organizationId) ?? new SharedTail(deps.reader, organizationId, deps.report);
      shared.set(organizationId, end);
      return end.open(() => shared.delete(organizationId));
    },
    close() {
      unsubscribe();
      for (const end of shared.values()) end.end();
      shared.clear();
    },
  };
}

/** The end of one organization's log, read once for all of its readers. */
class SharedTail {
  readonly #reader: LogReader;
  readonly #organizationId: OrganizationId;
  readonly #report: (message: string, error: unknown) => void;
  readonly #wakers = new Set<() => void>();
  #kept: LogEntry[] = [];
  /** The position after the last entry read; null until somebody has waited at the end. */
  #end: number | null = null;
  #readers = 0;
  #isEnded = false;
  #isLooking = false;
  #lookAgain = false;
  #timer: NodeJS.Timeout | null = null;

  constructor(reader: LogReader, organizationId: OrganizationId, report: (message: string, error: unknown) => void) {
    this.#reader = reader;
    this.#organizationId = organizationId;
    this.#report = report;
  }

  open(whenEmpty: () => void): Tail {
    this.#readers += 1;
    this.#timer ??= setInterval(() => this.look(), BACKSTOP_MILLISECONDS);
    let isOpen = true;
    const wakers = new Set<() => void>();
    return {
      next: async (position, maxWaitMilliseconds) => {
        const isClosed = (): boolean => !isOpen || this.#isEnded;
        if (isClosed()) return null;
        const entries = await this.#entriesFrom(position);
        if (isClosed()) return null;
        if (entries.length > 0) return entries;
        // Between the look above and here, what was awaited may have come; nobody would wake us for it again.
        if (this.#isAtEnd(position)) await this.#wait(maxWaitMilliseconds, wakers);
        return isClosed() ? null : this.#entriesFrom(position);
      },
      size: () => this.#reader.size(this.#organizationId),
      close: () => {
        if (!isOpen) return;
        isOpen = false;
        for (const wake of wakers) wake();
        this.#readers -= 1;
        if (this.#readers > 0) return;
        this.#stop();
        whenEmpty();
      },
    };
  }

  /** Reads what is new at the end, if anybody is there to get it. */
  look(): void {
    if (this.#isLooking) this.#lookAgain = true;
    else void this.#readOn();
  }

  /** Closes every tail. */
  end(): void {
    this.#isEnded = true;
    this.#stop();
  }

  #stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    this.#wake();
  }

  async #entriesFrom(position: number): Promise<readonly LogEntry[]> {
    const first = this.#kept[0]?.position;
    if (this.#isAtEnd(position)) return [];
    if (first !== undefined && position >= first) return this.#keptFrom(position);
    const entries = await this.#reader.readFrom(this.#organizationId, position, PAGE_ENTRIES);
    // Whoever finds nothing stands at the end; from there on it is followed for all.
    if (entries.length === 0 && this.#end === null) {
      this.#end = position;
      this.look();
    }
    return entries;
  }

  /** Looks from the end, where most readers are: what it costs is what it gives, however much is kept. */
  #keptFrom(position: number): readonly LogEntry[] {
    let index = this.#kept.length;
    while (index > 0 && (this.#kept[index - 1]?.position ?? 0) >= position) index -= 1;
    return this.#kept.slice(index);
  }

  #isAtEnd(position: number): boolean {
    return this.#end !== null && position >= this.#end;
  }

  async #readOn(): Promise<void> {
    if (this.#end === null) return;
    this.#isLooking = true;
    try {
      do {
        this.#lookAgain = false;
        const entries = await this.#reader.readFrom(this.#organizationId, this.#end, PAGE_ENTRIES);
        const last = entries.at(-1);
        if (last === undefined) continue;
        this.#end = last.position + 1;
        this.#keep(entries);
        // There may be more: a read may end early.
        this.#lookAgain = true;
        this.#wake();
      } while (this.#lookAgain);
    } catch (error) {
      this.#report('A live feed could not read the log; it looks again in half a second.', error);
    } finally {
      this.#isLooking = false;
    }
  }

  /** Keeps the newest entries within the bounds; whoever needs an older one reads it for itself. */
  #keep(entries: readonly LogEntry[]): void {
    const all = [...this.#kept, ...entries];
    let first = all.length;
    let characters = 0;
    while (first > 0 && all.length - first < KEPT_ENTRIES && (characters += all[first - 1]?.characters ?? 0) <= KEPT_CHARACTERS) first -= 1;
    this.#kept = all.slice(first);
  }

  #wait(milliseconds: number, wakers: Set<() => void>): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        wakers.delete(wake);
        this.#wakers.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, milliseconds);
      wakers.add(wake);
      this.#wakers.add(wake);
    });
  }

  #wake(): void {
    for (const wake of [...this.#wakers]) wake();
  }
}
