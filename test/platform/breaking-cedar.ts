/** Run by cedar-wasm.test.ts in a process of its own: breaks cedar-wasm, and prints what good and bad sets answer meanwhile. */
import { loadPolicySet, type WasmPolicySet, type WasmRequest } from '../../src/platform/cedar-wasm.js';

const policy = (clauses: number) => ({
  effect: 'permit' as const,
  principal: { op: 'All' as const },
  action: { op: 'All' as const },
  resource: { op: 'All' as const },
  conditions: Array.from({ length: clauses }, () => ({
    kind: 'when' as const,
    body: { '==': { left: { Var: 'principal' as const }, right: { Var: 'principal' as const } } },
  })),
});
const someone = { type: 'Agent', id: 'a' };
const request: WasmRequest = {
  principal: someone,
  action: { type: 'Action', id: 'invokeTool' },
  resource: { type: 'ToolUse', id: 'this call' },
  context: {},
  entities: [],
};
const answerOf = (set: WasmPolicySet): string => {
  try {
    return set.authorize(request).isAllowed ? 'allow' : 'deny';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
};

const good = loadPolicySet({ a: policy(1) });
const bad = loadPolicySet({ a: policy(5_000) });
const answers = Array.from({ length: 4 }, () => [answerOf(bad), answerOf(good)]);
console.log(JSON.stringify({ answers, later: answerOf(loadPolicySet({ b: policy(2) })) }));
