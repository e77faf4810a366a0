import type { Json, JsonObject } from '../kernel/index.js';
import { isJsonObject } from '../kernel/index.js';
import { metadataIn, splitContent } from './content.js';
import type { NewEvent, Prepared, RecordingMode } from './event.js';
import { redact } from './secrets/redact.js';
import { findsSecret, type SecretScanner } from './secrets/spans.js';

/** Finds secrets: tokens, keys, passwords. */
export interface Redactor {
  /**
   * `value` with every secret in it replaced by a mark, and the paths at which one stood, which begin with `path`. The very same
   * value when there is none. The same value gives the same answer, and what was redacted once is not redacted again.
   */
  redact(value: Json, path: string): { readonly value: Json; readonly redacted: readonly string[] };
  /** The rule that finds a secret in `text`; null when none does. */
  secretIn(text: string): string | null;
}

/** Redacts what `scan` finds, and what stands under a name that announces a secret. */
export const redactorBy = (scan: SecretScanner): Redactor => ({
  redact: (value, path) => redact(scan, value, path),
  secretIn: (text) => findsSecret(scan, text),
});

/** What is to be recorded of an event's own words. */
export interface PreparedEvent extends Prepared {
  /** Stored apart from it. */
  readonly content: JsonObject | null;
}

/** Makes an event ready to be stored: without what is not recorded there, without secrets, its content apart. Pure. */
export function prepareEvent(redactor: Redactor, event: NewEvent, mode: RecordingMode): PreparedEvent {
  const isWhole = mode === 'FULL';
  const data = redactor.redact(isWhole ? event.data : metadataIn(event.type, event.data), 'data');
  const attributes = redactor.redact(isWhole ? (event.attributes ?? {}) : {}, 'attributes');
  const split = isWhole ? splitContent(event.type, data.value) : { data: data.value, content: null };
  return {
    data: split.data,
    attributes: isJsonObject(attributes.value) ? attributes.value : {},
    redacted: [...attributes.redacted, ...data.redacted],
    recordingMode: isWhole ? null : mode,
    content: split.content,
  };
}
