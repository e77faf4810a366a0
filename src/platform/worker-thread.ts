import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { parentPort, Worker } from 'node:worker_threads';

/** A thread that works beside this one, so that what takes seconds keeps nobody waiting. It answers one question after the other. */
export interface Thread<Question, Answer> {
  /** @throws Error when the thread ends before it has answered, or could not answer */
  ask(question: Question): Promise<Answer>;
  /** Whether it answers nothing any more. */
  hasEnded(): boolean;
  /** Ends it, whatever it is doing. */
  end(): Promise<void>;
}

type Reply<Answer> = { readonly answer: Answer } | { readonly problem: string };

/** From TypeScript as it is, where this process runs so too. */
const isSource = import.meta.url.endsWith('.ts');

/** A module that runs the TypeScript of which the script is built. */
function fromSource(script: URL): URL {
  const loader = pathToFileURL(createRequire(import.meta.url).resolve('tsx/esm/api')).href.replace(/\.cjs$/, '.mjs');
  const source = script.href.replace(/\.js$/, '.ts');
  const text = `import { register } from ${JSON.stringify(loader)}; register(); await import(${JSON.stringify(source)});`;
  return new URL(`data:text/javascript,${encodeURIComponent(text)}`);
}

/**
 * Starts a thread. It keeps the process from ending as long as it is asked something.
 *
 * @param script the module that serves it, by the name that it has when it is built: ends with `.js`
 */
export function startThread<Question, Answer>(script: URL): Thread<Question, Answer> {
  const worker = new Worker(isSource ? fromSource(script) : script, { execArgv: [] });
  worker.unref();
  const waiting: { readonly resolve: (answer: Answer) => void; readonly reject: (error: Error) => void }[] = [];
  let ended: Error | null = null;
  const endWith = (error: Error): void => {
    ended ??= error;
    for (const { reject } of waiting.splice(0)) reject(ended);
  };
  worker.on('message', (reply: Reply<Answer>) => {
    const first = waiting.shift();
    if (waiting.length === 0) worker.unref();
    if ('answer' in reply) first?.resolve(reply.answer);
    else first?.reject(new Error(reply.problem));
  });
  worker.once('error', (error) => endWith(error instanceof Error ? error : new Error(String(error))));
  worker.once('exit', () => endWith(new Error('The thread has ended.')));
  return {
    ask: (question) =>
      new Promise((resolve, reject) => {
        if (ended !== null) return reject(ended);
        waiting.push({ resolve, reject });
        worker.ref();
        worker.postMessage(question);
      }),
    hasEnded: () => ended !== null,
    async end() {
      await worker.terminate();
    },
  };
}

/** Answers, in the thread, what is asked from outside. */
export function serveThread<Question, Answer>(answer: (question: Question) => Answer): void {
  parentPort?.on('message', (question: Question) => {
    try {
      parentPort?.postMessage({ answer: answer(question) } satisfies Reply<Answer>);
    } catch (error) {
      parentPort?.postMessage({ problem: error instanceof Error ? (error.stack ?? error.message) : String(error) } satisfies Reply<Answer>);
    }
  });
}
