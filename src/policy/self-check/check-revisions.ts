import { NO_FILTER, type EventReader } from '../../audit/index.js';
import type { Namespace } from '../../directory/index.js';
import { canonicalJson, othersFirst, sha256Hex, type Viewer } from '../../kernel/index.js';
import { annotationsOf } from '../annotations.js';
import type { LineSeat } from '../cases/case-call.js';
import type { PolicyInForce } from '../policy.js';
import { callIn, DECISION_EVENT } from '../recorded-call.js';
import type { ToolCall } from '../tool-call.js';
import { generateCalls } from './generate-calls.js';
import type { EngineComparison, EngineDifference, EngineQuestion } from './ports.js';

export interface SelfChecking {
  /** Null: what decides is Cedar itself, and there is nothing to compare it with. */
  readonly comparison: EngineComparison | null;
  readonly decided: Pick<EventReader, 'list'>;
  /** Told when something is wrong. */
  readonly alarm: (message: string, details: Readonly<Record<string, unknown>>) => void;
}

/** What decides and Cedar itself do not agree on what a policy means: a fault of this service, and of no text. */
export interface SelfCheckFailed {
  readonly kind: 'selfCheckFailed';
  /** Those on which they do not agree. */
  readonly statements: readonly UncertainStatement[];
  /** SHA-256 of the canonical JSON of the call that shows it. */
  readonly requestDigest: string;
}

export interface UncertainStatement {
  readonly policyId: string;
  readonly policyName: string;
  /** In the policy's text, from 1. */
  readonly number: number;
  /** What its annotation says; null where it has none. */
  readonly statement: string | null;
}

/** What is to come in force. */
export interface CheckedRevisions {
  readonly own: readonly PolicyInForce[];
  /** What is enforced at the place and above beside it. */
  readonly beside: readonly PolicyInForce[];
  /** The namespace that they are attached to, with those above it. */
  readonly line: readonly LineSeat[];
}

/** How many of the latest decisions in the namespace and below are asked again. */
const RECORDED = 50;
/** Of a place with more statements than that, what is there already is left out: it was checked when it came. */
const MAX_STATEMENTS_BESIDE = 100;
/** With more policies at once than that, likewise, and each statement alone is asked. */
const POLICIES_BESIDE_OTHERS = 5;
/** How many policies are checked together. */
const POLICIES_A_QUESTION = 10;
/** How many calls are made up for one policy and, shared among all of them, for many; but for each at least so many. */
const CALLS_A_POLICY = { most: 80, together: 100, least: 1 } as const;

/** A check that will be asked for soon. */
export interface ExpectedCheck {
  /** What keeps these revisions from coming in force; null when nothing does. Goes on beside whatever else is done. */
  check(revisions: CheckedRevisions): Promise<SelfCheckFailed | null>;
}

/**
 * Makes ready to ask what decides and Cedar itself the same about policies that are to come in force: the latest decisions of the
 * namespace, as recorded, and calls that are aimed at the statements. To be called before texts are read, since it takes as long.
 */
export function expectCheck(deps: SelfChecking, viewer: Viewer, namespace: Namespace): ExpectedCheck {
  const { comparison } = deps;
  if (comparison === null) return { check: async () => null };
  comparison.expect();
  const recorded = latestCalls(deps, viewer, namespace);
  // Told to whoever asks for the check; nobody may.
  recorded.catch(() => undefined);
  return {
    async check({ own, beside, line }) {
      const count = beside.reduce((sum, { statements }) => sum + statements.length, 0);
      const isSmall = own.length + count <= MAX_STATEMENTS_BESIDE && own.length <= POLICIES_BESIDE_OTHERS;
      const surroundings = isSmall ? beside : [];
      const { most, together, least } = CALLS_A_POLICY;
      const share = Math.min(most, Math.max(least, Math.floor(together / own.length)));
      // Of many at once each statement alone is asked: what there is to say of how they decide together is said of fewer.
      const decidedOf = (all: number, aimed: number): number => {
        if (own.length > POLICIES_BESIDE_OTHERS) return 0;
        return surroundings.length > 0 ? all : aimed;
      };
      const again = await recorded;
      for (let first = 0; first < own.length; first += POLICIES_A_QUESTION) {
        const some = own.slice(first, first + POLICIES_A_QUESTION);
        await othersFirst();
        const aimed = some.flatMap(({ statements }) => generateCalls(statements, line, share));
        const calls = [...aimed, ...again];
        const question = { own: some, beside: surroundings, calls, decided: decidedOf(calls.length, aimed.length) };
        const difference = await comparison.compare(question);
        if (difference !== null) return failed(deps, viewer, question, difference);
      }
      return null;
    },
  };
}

/** The latest decisions in the namespace and below that can be asked again; of those that differ by their time and run alone, one. */
async function latestCalls({ decided }: SelfChecking, viewer: Viewer, { id, kind }: Namespace): Promise<readonly ToolCall[]> {
  const filter = { ...NO_FILTER, types: [DECISION_EVENT], namespaceIds: kind === 'ORGANIZATION' ? null : [id] };
  // Nothing of them is told but a digest, so that it matters not who may see them.
  const scope = { userId: viewer.userId, isWhole: true, namespaceIds: [], memberOf: [] };
  const page = await decided.list(viewer.organizationId, scope, filter, { first: RECORDED, after: null, order: 'NEWEST_FIRST' });
  const calls = page.items.flatMap((stored) => callIn(stored)?.call ?? []);
  return [...new Map(calls.map((call) => [JSON.stringify({ ...call, now: null, sessionId: null }), call])).values()];
}

function failed(
  { alarm }: SelfChecking,
  viewer: Viewer,
  question: EngineQuestion,
  { call, statements, said }: EngineDifference,
): SelfCheckFailed {
  const policies = new Map([...question.beside, ...question.own].map((policy) => [policy.id, policy]));
  const uncertain = statements.map(({ policyId, index }): UncertainStatement => {
    const policy = policies.get(policyId);
    const est = policy?.statements[index]?.est;
    return {
      ...{ policyId, policyName: policy?.name ?? '', number: index + 1 },
      statement: est === undefined ? null : annotationsOf(est).id,
    };
  });
  const requestDigest = digestOf(question.calls[call]);
  alarm('the compiled policies and Cedar do not agree: what was to come in force was kept back', {
    ...{ organizationId: viewer.organizationId, requestDigest, statements: uncertain },
    ...{ compiled: said[0], cedar: said[1] },
  });
  return { kind: 'selfCheckFailed', statements: uncertain, requestDigest };
}

/** SHA-256 of the canonical JSON of a call. */
export const digestOf = (call: ToolCall | undefined): string =>
  sha256Hex(canonicalJson(JSON.parse(JSON.stringify(call === undefined ? null : { ...call, now: call.now.toISOString() }))));
