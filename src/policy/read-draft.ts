import { isUuid, type Viewer } from '../kernel/index.js';
import { AT_ONCE, type PolicyInForce, type PolicyProblem } from './policy.js';
import type { PolicyParser } from './ports.js';
import { policiesById, type PolicyReading } from './read-policies.js';
import { readText } from './read-text.js';

export interface DraftReading extends Pick<PolicyReading, 'directory' | 'policies' | 'clock'> {
  readonly parser: PolicyParser;
}

export type ReadDraftOutcome =
  | { readonly kind: 'read'; readonly policy: PolicyInForce; readonly text: string }
  | { readonly kind: 'invalid'; readonly problems: readonly PolicyProblem[] }
  | { readonly kind: 'notFound' };

/** The draft of a policy as if it were enforced; its revision would be the next one. */
export async function readDraft(deps: DraftReading, viewer: Viewer, policyId: string): Promise<ReadDraftOutcome> {
  const [policy] = isUuid(policyId) ? await policiesById(deps, viewer, [policyId]) : [];
  if (policy == null) return { kind: 'notFound' };
  const { id, name, namespaceId, latestRevision, draft } = policy;
  const read = await readText(deps.parser, draft.text);
  if ('problems' in read) return { kind: 'invalid', problems: read.problems };
  return {
    kind: 'read',
    policy: { ...AT_ONCE, id, name, namespaceId, revision: latestRevision + 1, statements: read.statements },
    text: draft.text,
  };
}
