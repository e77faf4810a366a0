import type { OrganizationId } from '../kernel/index.js';
import type { Evaluation, PolicySet, Reason } from '../policy/index.js';
import type { Shadows } from './policy-sets.js';

/** What a call would have been answered, if the policies that are only watched were enforced. */
export interface ShadowVerdict {
  readonly verdict: Evaluation['verdict'];
  readonly basis: Evaluation['basis'];
  readonly reasons: readonly Reason[];
}

export interface Watching {
  /** Told when something is wrong. */
  readonly alarm: (message: string, details: Readonly<Record<string, unknown>>) => void;
  /** Told what somebody wants to know. */
  readonly notice: (message: string, details: Readonly<Record<string, unknown>>) => void;
}

/**
 * What the watched policies would have changed; null when nothing, or none are watched. The first such change by the same policies is
 * told to the log as well; every one is in the record of its decision.
 *
 * Never throws: what is only watched keeps nobody from an answer.
 */
export function shadowVerdict(
  watching: Watching,
  organizationId: OrganizationId,
  {
    shadows,
    enforced,
    judge,
  }: { readonly shadows: Shadows | null; readonly enforced: Evaluation; readonly judge: (set: PolicySet) => Evaluation },
): ShadowVerdict | null {
  if (shadows === null) return null;
  const evaluation = judged(watching, organizationId, () => judge(shadows.set()));
  if (evaluation === null || evaluation.verdict === enforced.verdict) return null;
  const { verdict, basis, reasons } = evaluation;
  const said = JSON.stringify([verdict, enforced.verdict, reasons.map(({ policyId, revision }) => [policyId, revision])]);
  if (!shadows.told.has(said)) {
    shadows.told.add(said);
    watching.notice('policies that are only watched would have changed a decision', {
      ...{ organizationId, verdict: enforced.verdict, shadowVerdict: verdict, reasons },
    });
  }
  return { verdict, basis, reasons };
}

function judged({ alarm }: Watching, organizationId: OrganizationId, judge: () => Evaluation): Evaluation | null {
  try {
    const evaluation = judge();
    if (evaluation.failed.length > 0)
      alarm('policies could not be evaluated, some of them only watched', { organizationId, failed: evaluation.failed });
    return evaluation;
  } catch (error) {
    alarm('policies that are only watched could not be evaluated', { organizationId, error });
    return null;
  }
}
