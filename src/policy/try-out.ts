import type { Directory, Namespace } from '../directory/index.js';
import type { Clock, OrganizationId } from '../kernel/index.js';
import type { LineSeat } from './cases/case-call.js';
import type { PolicyCase } from './cases/case.js';
import { runCases, type CasesRun, type TriedPolicy } from './cases/run-cases.js';
import type { PolicyInForce } from './policy.js';
import type { PolicyEngine, PolicyReader } from './ports.js';
import { warningsOf, type PolicyWarning } from './warnings/warnings-of.js';

export interface Trying {
  readonly directory: Directory;
  readonly policies: PolicyReader;
  readonly engine: PolicyEngine;
  readonly clock: Clock;
}

/** What can be told of a text before it decides anything. */
export interface Trial {
  readonly run: CasesRun;
  readonly warnings: readonly PolicyWarning[];
}

/** Told of a policy that is about to be tried, beside what is enforced where it is attached but for itself. */
export type BeginTrying = (policy: TriedPolicy, beside: readonly PolicyInForce[], line: readonly LineSeat[]) => void;

/** Runs a policy's cases beside what is enforced now where it is attached, and looks for what its author may not have meant. */
export async function tryOut(
  deps: Trying,
  organizationId: OrganizationId,
  line: readonly LineSeat[],
  { policy, cases, begin }: { readonly policy: TriedPolicy; readonly cases: readonly PolicyCase[]; readonly begin: BeginTrying },
): Promise<Trial> {
  const inForce = await deps.policies.enforcedAlong(
    organizationId,
    line.map(({ id }) => id),
    deps.clock(),
  );
  const enforced = inForce.filter(({ id }) => id !== policy.id);
  begin(policy, enforced, line);
  const run = await runCases({ engine: deps.engine, line, enforced }, policy, cases);
  return { run, warnings: await warningsOf(policy, { enforced, line }) };
}

/** The namespaces from the organization down to this one. */
export async function lineOf(
  { directory }: Pick<Trying, 'directory'>,
  organizationId: OrganizationId,
  namespace: Namespace,
): Promise<readonly LineSeat[]> {
  const found = new Map((await directory.namespaces(organizationId, namespace.ancestors)).map((each) => [each.id, each]));
  // One that is gone by now was a group: nothing else lies between the organization and what is attached to.
  return namespace.ancestors.map((id) => ({ id, kind: found.get(id)?.kind ?? (id === namespace.id ? namespace.kind : 'GROUP') }));
}
