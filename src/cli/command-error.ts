/** What keeps a command from being carried out, in one sentence for the person who gave it. */
export class CommandError extends Error {}
