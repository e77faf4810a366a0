import { describe, expect, jest } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { itWithData } from '../support/shared-data.js';
import { compilePolicies, entitiesFromJson, requestFromJson } from '../../src/cedar/index.js';
import { parseLossless } from './lossless-json.js';
import { estOf, partsOf } from './oracle.js';
import { filesOf } from './tar.js';

jest.setTimeout(240_000);

/** Every so-manieth test of the corpus is run; all of them with CEDAR_ALL=1, which takes a minute. */
const STEP = process.env['CEDAR_ALL'] === '1' ? 1 : 4;

const Uid = z.object({ type: z.string(), id: z.string() });
const CorpusTest = z.object({
  policies: z.string(),
  entities: z.string(),
  requests: z.array(
    z.object({
      principal: Uid,
      action: Uid,
      resource: Uid,
      context: z.unknown(),
      decision: z.enum(['allow', 'deny']),
      reason: z.array(z.string()),
      errors: z.array(z.string()),
    }),
  ),
});

interface Result {
  readonly decision: 'allow' | 'deny';
  readonly reason: readonly string[];
  readonly errors: readonly string[];
}

describe('the public corpus of Cedar', () => {
  itWithData('cedar/corpus-first-half.tar.gz', `expects what the evaluator answers (1 test in ${STEP})`, async (path) => {
    const files = filesOf(await readFile(path));
    const tests = [...files.keys()].filter((name) => /^[^.]+\.json$/.test(name)).sort();
    expect(tests).toHaveLength(3_957);

    const chosen = tests.filter((_, index) => index % STEP === 0);
    const results = chosen.map((name) => ({ name, ...resultsOf(files, name) }));
    expect(results.filter(({ got, wanted }) => JSON.stringify(got) !== JSON.stringify(wanted))).toEqual([]);
    expect(results.flatMap(({ got }) => got)).toHaveLength(chosen.length * 8);
  });
});

function resultsOf(
  files: ReadonlyMap<string, Buffer>,
  name: string,
): { readonly got: readonly Result[]; readonly wanted: readonly Result[] } {
  const read = (file: string): string => files.get(file)?.toString() ?? '';
  const test = CorpusTest.parse(parseLossless(read(name)));
  const policies = partsOf(read(test.policies)).map((text, index) => [`policy${index}`, estOf(text)] as const);
  const compiled = compilePolicies(new Map(policies));
  const entities = entitiesFromJson(parseLossless(read(test.entities)));
  return {
    wanted: test.requests.map(({ decision, reason, errors }) => ({ decision, reason: reason.sort(), errors: errors.sort() })),
    got: test.requests.map(({ principal, action, resource, context }): Result => {
      const { isAllowed, reasons, errors } = compiled.authorize(requestFromJson({ principal, action, resource, context }), entities);
      const decision = isAllowed ? 'allow' : 'deny';
      return { decision, reason: reasons.toSorted(), errors: errors.map(({ policyId }) => policyId).sort() };
    }),
  };
}
