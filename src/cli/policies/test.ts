import { EXIT, waitingAloud, type Output } from './apply.js';
import type { Folder } from './folder.js';
import { counted, refusalInWords, testInWords } from './present.js';
import type { PolicyService, Test } from './service.js';

export interface Testing {
  readonly namespaceId: string;
  /** The names of warnings that are meant, beside those that the folder confirms. */
  readonly confirm: readonly string[];
  /** Whether it is said what no case ever decided. */
  readonly isCoverageShown: boolean;
}

/** Runs a folder's cases, and says what came of them. Answers the exit code. */
export async function test(service: PolicyService, folder: Folder, testing: Testing, output: Output): Promise<number> {
  const { namespaceId, isCoverageShown } = testing;
  const confirmed = [...(folder.manifest.confirm ?? []), ...testing.confirm];
  const done = waitingAloud(output, `Testing ${counted(folder.policies.length, 'policy', 'policies')}`);
  const tested = await service.test(namespaceId, folder.policies).finally(done);
  if ('refusals' in tested) {
    for (const refusal of tested.refusals) output.say(refusalInWords(refusal));
    if (output.isJson) output.write(`${JSON.stringify({ outcome: 'refused', refusals: tested.refusals })}\n`);
    return EXIT.failed;
  }
  const totals = totalsOf(tested.tests, folder, confirmed);
  const isGood = totals.failed === 0 && totals.unconfirmed === 0;
  if (output.isJson) output.write(`${JSON.stringify({ outcome: isGood ? 'passed' : 'failed', ...totals, tests: tested.tests })}\n`);
  else {
    for (const one of tested.tests.filter(isWorthSaying)) output.write(testInWords(one, confirmed, isCoverageShown, output.paint));
    output.write(
      `${totals.passed} passed, ${totals.failed} failed; ${counted(totals.unconfirmed, 'warning', 'warnings')} to confirm; ${counted(totals.withoutCases, 'policy', 'policies')} without cases.\n`,
    );
  }
  return isGood ? EXIT.done : EXIT.failed;
}

const isWorthSaying = ({ test: { passed, failed }, warnings }: Test): boolean => passed + failed > 0 || warnings.length > 0;

const totalsOf = (tests: readonly Test[], { policies }: Folder, confirmed: readonly string[]) => ({
  passed: tests.reduce((sum, { test: { passed } }) => sum + passed, 0),
  failed: tests.reduce((sum, { test: { failed } }) => sum + failed, 0),
  unconfirmed: tests.flatMap(({ warnings }) => warnings.filter(({ name }) => !confirmed.includes(name))).length,
  withoutCases: policies.filter(({ cases }) => cases === null).length,
});
