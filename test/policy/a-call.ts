import { policyToJson } from '@cedar-policy/cedar-wasm/nodejs';
import type { Json } from '../../src/kernel/index.js';
import { SCHEMA, type PolicyInForce, type ToolCall } from '../../src/policy/index.js';
import { wasmParser } from '../../src/policy/wasm/parser.js';

/** A call of a read-only tool, by a developer's agent, in a project at the fourth level of the tree. */
export function aCall(facts: Partial<ToolCall> = {}): ToolCall {
  return {
    agent: { id: 'coder', isKnown: true, classes: ['coding'], trust: 60, autonomous: false, ownerId: 'ada' },
    user: { id: 'ada', level: 30, teams: ['backend'] },
    projectLine: [
      { id: 'company', kind: 'ORGANIZATION', dataClass: 1, isFrozen: false },
      { id: 'payments', kind: 'GROUP', dataClass: null, isFrozen: false },
      { id: 'core', kind: 'GROUP', dataClass: 2, isFrozen: false },
      { id: 'api', kind: 'PROJECT', dataClass: null, isFrozen: false },
    ],
    tool: {
      id: 'com.example.files/read_file',
      server: 'com.example.files',
      isKnown: true,
      isElsewhere: false,
      actionType: 'READ',
      risk: 1,
      definitionDigest: 'abc',
      labels: ['files'],
    },
    arguments: {},
    sessionId: 'run 7',
    session: { labels: ['untrusted_web'], counts: { allowed: 12, asked: 1, denied: 2, failed: 0 } },
    circumstances: { environment: 'staging', branch: 'main', isBranchProtected: true, surface: 'IDE', executionMode: 'INTERACTIVE' },
    now: new Date('2026-11-22T09:30:00.000Z'),
    timeZone: 'Asia/Kolkata',
    approval: null,
    promises: [],
    ...facts,
  };
}

const NAMED = {
  id: 'p',
  name: 'policy',
  namespaceId: 'company',
  revision: 1,
  mode: 'ENFORCE',
  effectiveFrom: null,
  effectiveUntil: null,
} as const;

/** A policy in force with this text, which must compile. */
export async function aPolicy(text: string, more: Partial<PolicyInForce> = {}): Promise<PolicyInForce> {
  const parsed = await wasmParser.parse(text, SCHEMA);
  if ('problems' in parsed) throw new Error(`The policy does not compile: ${JSON.stringify(parsed.problems)}`);
  return { ...NAMED, statements: parsed.statements, ...more };
}

/** A policy in force of these statements. */
export const withStatements = (statements: PolicyInForce['statements']): PolicyInForce => ({ ...NAMED, statements });

/** A policy in force that no validator has seen. */
export function anUncheckedPolicy(text: string, more: Partial<PolicyInForce> = {}): PolicyInForce {
  const converted = policyToJson(text);
  if (converted.type === 'failure') throw new Error(`The policy does not parse: ${JSON.stringify(converted.errors)}`);
  const est: Json = JSON.parse(JSON.stringify(converted.json));
  const effect = converted.json.effect === 'permit' ? 'PERMIT' : 'FORBID';
  return { ...NAMED, statements: [{ effect, est }], ...more };
}
