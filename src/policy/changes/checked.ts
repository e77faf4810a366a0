import type { Namespace } from '../../directory/index.js';
import type { Viewer } from '../../kernel/index.js';
import { AT_ONCE, type Policy, type Statement, type Written } from '../policy.js';
import { expectCheck, type SelfCheckFailed } from '../self-check/check-revisions.js';
import type { Trial } from '../try-out.js';
import { readAndTry, trialProblem, type CasesInvalid, type Invalid, type PolicyChanging } from './changing.js';

export interface Checked {
  readonly statements: readonly Statement[];
  readonly trial: Trial;
  /** Null: what decides evaluates the statements as Cedar does; or something else keeps them back already. */
  readonly fault: SelfCheckFailed | null;
}

/** The next revision of a policy as it is to be stored, read, tried and checked; or everything that is wrong with its text or its cases. */
export async function readTryAndCheck(
  deps: PolicyChanging,
  viewer: Viewer,
  { policy, namespace }: { readonly policy: Policy; readonly namespace: Namespace },
  written: Written,
  confirmed: readonly string[],
): Promise<Checked | Invalid | CasesInvalid> {
  const expected = expectCheck(deps, viewer, namespace);
  const { id, name, latestRevision } = policy;
  let checking: Promise<SelfCheckFailed | null> = Promise.resolve(null);
  const read = await readAndTry(deps, viewer, namespace, { ...written, id, name }, ({ statements }, beside, line) => {
    const own = [{ ...AT_ONCE, id, name, namespaceId: namespace.id, revision: latestRevision + 1, statements }];
    checking = expected.check({ own, beside, line });
    // Told to whoever waits for it; nobody may.
    checking.catch(() => undefined);
  });
  if ('problems' in read) return read;
  return { ...read, fault: trialProblem(read.trial, confirmed) === null ? await checking : null };
}
