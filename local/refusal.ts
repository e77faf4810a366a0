/** Something the person at the keyboard can put right. Its message is the one sentence that they are shown. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
}

/** What went wrong, as one line for a person: a refusal's own sentence, else the error's message. */
export function sentenceOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The `code` of a Node or Postgres error (`EADDRINUSE`, `57P03`); undefined for anything else. */
export function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
