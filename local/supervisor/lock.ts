import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { isAlive } from '../end-process.js';
import { codeOf, Refusal } from '../refusal.js';

/**
 * Takes the data folder for this process; the returned function gives it back.
 *
 * @throws Refusal while another process that runs has it.
 */
export function takeLock(file: string): () => void {
  const owner = lockOwner(file);
  if (owner !== undefined)
    throw new Refusal(
      `It is running already (process ${String(owner)}): stop that one first, or set DATA_DIR and the ports for a second one.`,
    );
  rmSync(file, { force: true });
  // A link appears whole or fails: of two that start at once, one gets it.
  const draft = `${file}.${String(process.pid)}`;
  writeFileSync(draft, JSON.stringify({ pid: process.pid, startedAt: startTimeOf(process.pid) }));
  try {
    linkSync(draft, file);
  } catch (error) {
    if (codeOf(error) === 'EEXIST') throw new Refusal('Another start has just begun on the same data folder.');
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
  return () => rmSync(file, { force: true });
}

/** The process that has the data folder now; undefined when none does, or only one that was killed. */
export function lockOwner(file: string): number | undefined {
  const note = readNote(file);
  if (note === undefined || !isAlive(note.pid)) return undefined;
  return note.startedAt === startTimeOf(note.pid) ? note.pid : undefined;
}

interface Note {
  readonly pid: number;
  readonly startedAt: string;
}

function readNote(file: string): Note | undefined {
  try {
    const note: Note = JSON.parse(readFileSync(file, 'utf8'));
    return note;
  } catch {
    return undefined;
  }
}

/** Tells a process from a later one that bears the same id. Empty where there is no /proc. */
function startTimeOf(pid: number): string {
  try {
    const afterName =
      readFileSync(`/proc/${String(pid)}/stat`, 'utf8')
        .split(') ')
        .at(-1) ?? '';
    return afterName.split(' ')[19] ?? '';
  } catch {
    return '';
  }
}
