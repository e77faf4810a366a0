import type { Viewer } from '../../kernel/index.js';
import { evaluate, type Evaluation } from '../../policy/index.js';
import { callOf, gather, type Asked } from '../gather.js';
import type { AccessReading } from './access-facts.js';

/** What a decision on the call would say to the viewer now, recorded nowhere; null where the project does not exist for them. */
export async function wouldBeAnswered(
  { snapshots, clock }: Pick<AccessReading, 'snapshots' | 'clock'>,
  viewer: Viewer,
  asked: Asked,
): Promise<Evaluation | null> {
  const gathered = await snapshots.read(viewer.organizationId, (facts) => gather(facts, viewer.userId, asked));
  if (gathered === null) return null;
  const now = clock();
  return evaluate(gathered.facts.policySet(gathered.project, now), callOf(viewer.userId, asked, gathered, now));
}
