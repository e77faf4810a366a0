import type { Author } from '../audit/index.js';
import type { Namespace } from '../directory/index.js';
import type { Clock } from '../kernel/index.js';
import { newPolicy } from './changes/create-policy.js';
import { addRevision } from './changes/publish-policy.js';
import { policyRecord } from './changes/record.js';
import { AT_ONCE, type Statement } from './policy.js';
import type { PolicyParser, PolicyTransaction } from './ports.js';
import { readText } from './read-text.js';

/** The name of the policy that an organization starts with. */
export const BASELINE_NAME = 'baseline';

/**
 * What an organization starts with: reads are allowed to whoever may report; writes to developers, once a human has approved the call;
 * what destroys or is unknown once a maintainer has, and never where nobody is there to ask. It is a policy like every other: an owner
 * publishes another text over it, or retires it.
 */
export const BASELINE = `@id("reads")
permit (principal, action == Action::"invokeTool", resource)
when { resource.risk <= 1 && context.role >= 20 };

@id("more-than-reads")
permit (principal, action == Action::"invokeTool", resource)
when { resource.risk >= 2 && context.role >= 30 };

@id("ask-before-writing")
@reason("Whatever writes needs the approval of a developer.")
@approval("developer")
forbid (principal, action == Action::"invokeTool", resource)
when { resource.risk == 2 }
unless { context has approval && context.approval.level >= 30 };

@id("ask-before-destroying")
@reason("What destroys, or is not registered, needs the approval of a maintainer.")
@approval("maintainer")
forbid (principal, action == Action::"invokeTool", resource)
when { resource.risk >= 3 }
unless { context has approval && context.approval.level >= 40 };

@id("no-destroying-in-the-background")
@reason("What destroys, or is not registered, is not called where nobody is there to ask.")
forbid (principal, action == Action::"invokeTool", resource)
when { resource.risk >= 3 }
unless { context.executionMode == "INTERACTIVE" };
`;

/** @throws Error when the baseline does not fit the model: a bug of ours. */
export async function readBaseline(parser: PolicyParser): Promise<readonly Statement[]> {
  const read = await readText(parser, BASELINE);
  if ('problems' in read) throw new Error(`The baseline does not fit the model: ${JSON.stringify(read.problems)}`);
  return read.statements;
}

/** Creates and publishes the baseline in the transaction that makes the organization known, as done by whoever makes it known. */
export async function startFromBaseline(
  deps: { readonly clock: Clock },
  by: Author,
  tx: PolicyTransaction,
  organization: Namespace,
  statements: readonly Statement[],
): Promise<void> {
  const named = {
    namespaceId: organization.id,
    name: BASELINE_NAME,
    description: 'What the organization started with. Replace or retire it.',
  };
  const policy = newPolicy({ ...named, text: BASELINE, cases: null }, by, deps.clock());
  if (!(await tx.policies.insert(by.organizationId, policy))) return;
  await tx.auditLog.append(by.organizationId, [
    policyRecord(deps, by, organization, {
      ...{ type: 'ai_policy_created', policy, revision: 0, text: BASELINE, cases: null, message: null, draftVersion: 1, author: by.userId },
    }),
  ]);
  await addRevision(deps, by, tx, organization, {
    ...AT_ONCE,
    ...{ type: 'ai_policy_published', policy, status: 'PUBLISHED', text: BASELINE, cases: null, statements, author: by.userId },
    ...{ reviewer: null, repeats: null, message: 'The organization became known.' },
  });
}
