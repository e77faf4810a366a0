import { expect, it } from '@jest/globals';
import { condition } from '../../src/cedar/condition.js';
import { frameOf } from '../../src/cedar/frame.js';
import { memoryFor, runOf, verdictAt } from '../../src/cedar/memory.js';
import { HOLDS, type Verdict } from '../../src/cedar/outcome.js';
import { entityUid, recordOf } from '../../src/cedar/index.js';

it('remembers nothing of the evaluations before the numbers begin anew', () => {
  const settled: Verdict[] = [];
  const memory = memoryFor([condition(() => (settled.push(HOLDS), HOLDS))]);
  const uid = entityUid('User', 'ada');
  const request = { principal: uid, action: uid, resource: uid, context: recordOf(new Map()) };
  const rows = Int32Array.of(0, 1, 1);
  const evaluate = (): Verdict =>
    verdictAt(
      rows,
      0,
      runOf(
        memory,
        frameOf(request, () => undefined),
      ),
    );

  evaluate();
  memory.latest = 2 ** 27 - 2;
  for (let evaluation = 0; evaluation < 3; evaluation += 1) expect(evaluate()).toBe(HOLDS);

  expect(settled).toHaveLength(4);
  expect(memory.latest).toBe(2);
});
