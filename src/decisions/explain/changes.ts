import { othersFirst } from '../../kernel/index.js';
import { changesInOrder, isOfAgent, tryChanges, type VerdictChange } from '../../policy/index.js';
import type { PoliciesExplained } from './explain-policies.js';

/** Each single change that would turn the verdict that is explained and may be told to the viewer, the least intrusive first. */
export async function changesFor({ set, call, explanation, tellsOfAgent }: PoliciesExplained): Promise<readonly VerdictChange[]> {
  const found: VerdictChange[] = [];
  for (const changes of tryChanges(set, call, explanation)) {
    found.push(...changes.filter((change) => tellsOfAgent || !isOfAgent(change)));
    await othersFirst();
  }
  return changesInOrder(found);
}
