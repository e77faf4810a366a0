/** Writes what operators should know, one JSON line each, to standard error. */
export interface Logger {
  error(message: string, details?: Readonly<Record<string, unknown>>): void;
  warn(message: string, details?: Readonly<Record<string, unknown>>): void;
  info(message: string, details?: Readonly<Record<string, unknown>>): void;
  debug(message: string, details?: Readonly<Record<string, unknown>>): void;
}

const LEVELS = ['error', 'warn', 'info', 'debug'] as const;
export type LogLevel = 'silent' | (typeof LEVELS)[number];

/** A logger that leaves out everything below `level`. */
export function createLogger(level: LogLevel, write: (line: string) => void = (line) => void process.stderr.write(line)): Logger {
  const loudest = LEVELS.findIndex((name) => name === level);
  const at =
    (name: (typeof LEVELS)[number]) =>
    (message: string, details: Readonly<Record<string, unknown>> = {}) => {
      if (LEVELS.indexOf(name) > loudest) return;
      write(`${JSON.stringify({ time: new Date().toISOString(), level: name, message, ...plain(details) })}\n`);
    };
  return { error: at('error'), warn: at('warn'), info: at('info'), debug: at('debug') };
}

const plain = (details: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(details).map(([key, value]) => [key, value instanceof Error ? (value.stack ?? value.message) : value]));
