import { setFlagsFromString } from 'node:v8';
import { createRequire } from 'node:module';
import type * as CedarWasm from '@cedar-policy/cedar-wasm/nodejs';
import type { ErrorCode } from '../../src/cedar/index.js';
import { withLosslessJson } from './lossless-json.js';

// See src/platform/cedar-wasm.ts: without it, Node 20 aborts after some thousand calls.
setFlagsFromString('--no-turbo-inline-js-wasm-calls');

const cedar: typeof CedarWasm = createRequire(import.meta.url)('@cedar-policy/cedar-wasm/nodejs');

/** Entities and values in Cedar's JSON format; integers beyond 2^53 as BigInts. */
export interface JsonRequest {
  readonly principal: JsonUid;
  readonly action: JsonUid;
  readonly resource: JsonUid;
  readonly context: Readonly<Record<string, unknown>>;
}

export interface JsonUid {
  readonly type: string;
  readonly id: string;
}

export interface JsonEntity {
  readonly uid: JsonUid;
  readonly attrs: Readonly<Record<string, unknown>>;
  readonly parents: readonly JsonUid[];
  readonly tags?: Readonly<Record<string, unknown>>;
}

/** An answer in one form, so that equal answers are equal texts. */
export interface Verdicts {
  readonly decision: 'allow' | 'deny';
  readonly reasons: readonly string[];
  /** `ID CODE` */
  readonly errors: readonly string[];
}

/** Policies inside cedar-wasm. */
export interface OraclePolicies {
  authorize(request: JsonRequest, entities: readonly JsonEntity[]): Verdicts;
}

/** What cedar-wasm says that is no answer: it refused the request or the policies. */
export class OracleRefused extends Error {}

let loaded = 0;

/**
 * Loads policies, as text or in JSON form, by id. One set at a time: loading another takes the place of this one.
 *
 * Whatever throws out of cedar-wasm may have broken it for good, so such an error ends the test; the cases here nest too little for it.
 */
export function askCedar(policies: Readonly<Record<string, unknown>>): OraclePolicies {
  const generation = (loaded += 1);
  const answer = withLosslessJson(() => cedar.preparsePolicySet('policies', { staticPolicies: policies as never }));
  if (answer.type === 'failure') throw new OracleRefused(messagesOf(answer.errors));
  return {
    authorize(request, entities) {
      if (generation !== loaded) throw new Error('Another set of policies was loaded since.');
      const call = { ...request, entities, preparsedPolicySetId: 'policies' };
      const asked = withLosslessJson(() => cedar.statefulIsAuthorized(call as never));
      if (asked.type === 'failure') throw new OracleRefused(messagesOf(asked.errors));
      const { decision, diagnostics } = asked.response;
      const errors = diagnostics.errors.map(({ policyId, error }) => `${policyId} ${codeOf(error.message)}`);
      return { decision, reasons: diagnostics.reason.toSorted(), errors: errors.sort() };
    },
  };
}

/** A policy's JSON form. */
export function estOf(text: string): unknown {
  const answer = withLosslessJson(() => cedar.policyToJson(text));
  if (answer.type === 'failure') throw new OracleRefused(messagesOf(answer.errors));
  return answer.json;
}

/** A template's JSON form. */
export function templateOf(text: string): unknown {
  const answer = withLosslessJson(() => cedar.templateToJson(text));
  if (answer.type === 'failure') throw new OracleRefused(messagesOf(answer.errors));
  return answer.json;
}

/** The parts of a text of several policies. Cedar calls them policy0, policy1, … and sorts them by these names. */
export function partsOf(text: string): readonly string[] {
  const answer = cedar.policySetTextToParts(text);
  if (answer.type === 'failure') throw new OracleRefused(messagesOf(answer.errors));
  return answer.policies;
}

const messagesOf = (errors: readonly { readonly message: string }[]): string => errors.map(({ message }) => message).join('; ');

const CODES: readonly (readonly [RegExp, ErrorCode])[] = [
  [/^type error/, 'TYPE'],
  [/^integer overflow/, 'OVERFLOW'],
  [/does not have the attribute/, 'NO_ATTRIBUTE'],
  [/does not have the tag/, 'NO_TAG'],
  [/^entity .* does not exist$/s, 'NO_ENTITY'],
  [/^error while evaluating .* extension function/, 'EXTENSION'],
  [/^wrong number of arguments/, 'ARITY'],
];

/** The code of ours that one of Cedar's messages stands for. */
function codeOf(message: string): ErrorCode {
  const found = CODES.find(([pattern]) => pattern.test(message));
  if (found === undefined) throw new Error(`An error of Cedar's without a code: ${message}`);
  return found[1];
}
