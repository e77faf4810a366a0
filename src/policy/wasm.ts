import { loadPolicySet, parseInWorker, type WasmRequest } from '../platform/cedar-wasm.js';
import { placeOf } from './guard.js';
import type { PolicyEngine, PolicyParser } from './ports.js';

/** The parser of cedar-wasm. */
export const wasmParser: PolicyParser = {
  async parse(text, schema) {
    const parsed = await parseInWorker(text, schema);
    if ('statements' in parsed) return { statements: parsed.statements.map(({ effect, est }) => ({ effect, est: est as never })) };
    return {
      problems: parsed.problems.map(({ message, help, byte }) => ({
        message,
        help,
        ...(byte === null ? { line: null, column: null } : placeOf(text, characterAt(text, byte))),
      })),
    };
  },
};

/** The evaluator of cedar-wasm, until the compiled one takes its place behind the same port. */
export const wasmEngine: PolicyEngine = {
  load(statements) {
    const set = loadPolicySet(Object.fromEntries([...statements].map(([id, { est }]) => [id, est as never])));
    return {
      authorize: (request) =>
        set.authorize({
          ...request,
          context: { ...request.context },
          entities: request.entities.map((entity) => ({ ...entity })),
        } as WasmRequest),
    };
  },
};

/** The index in the text of the byte at `byte` of its UTF-8. */
const characterAt = (text: string, byte: number): number => Buffer.from(text).subarray(0, byte).toString().length;
