import { beforeAll, describe, expect, it } from '@jest/globals';
import { evaluate, preparePolicySet, readBaseline, type PolicySet, type ToolCall } from '../../src/policy/index.js';
import { bothEngines } from '../../src/policy/wasm/engines.js';
import { wasmParser } from '../../src/policy/wasm/parser.js';
import { aCall, withStatements } from './a-call.js';

const TOOLS: Readonly<Record<string, Pick<ToolCall['tool'], 'isKnown' | 'actionType' | 'risk'>>> = {
  reads: { isKnown: true, actionType: 'READ', risk: 1 },
  writes: { isKnown: true, actionType: 'WRITE', risk: 2 },
  destroys: { isKnown: true, actionType: 'DESTROY', risk: 3 },
  'is unknown': { isKnown: false, actionType: 'DESTROY', risk: 4 },
};

describe('the baseline', () => {
  let set: PolicySet;
  beforeAll(async () => {
    set = preparePolicySet(bothEngines, [withStatements(await readBaseline(wasmParser))]);
  });
  const about = (tool: string, level: number, executionMode: 'INTERACTIVE' | 'BACKGROUND' = 'INTERACTIVE'): ToolCall => {
    const call = aCall();
    return {
      ...call,
      user: { ...call.user, level },
      tool: { ...call.tool, ...TOOLS[tool] },
      circumstances: { ...call.circumstances, executionMode },
    };
  };

  it.each([
    ['reads', 20, 'PERMITTED'],
    ['reads', 10, 'NO_MATCH'],
    ['writes', 20, 'NO_MATCH'],
  ])('says to a tool that %s, for a user of level %i: %s', (tool, level, basis) => {
    expect(evaluate(set, about(tool, level)).basis).toBe(basis);
  });

  it.each(['INTERACTIVE', 'BACKGROUND'] as const)('asks a developer before a write, also in the background: %s', (executionMode) => {
    expect(evaluate(set, about('writes', 30, executionMode))).toMatchObject({ verdict: 'ASK', approval: { level: 30, count: 1 } });
    const approved = { ...about('writes', 30, executionMode), approval: { level: 30, count: 1 } };
    expect(evaluate(set, approved).verdict).toBe('ALLOW');
  });

  it.each(['destroys', 'is unknown'])('asks a maintainer before a tool that %s, where somebody is there to ask', (tool) => {
    expect(evaluate(set, about(tool, 30))).toMatchObject({ verdict: 'ASK', approval: { level: 40, count: 1 } });
    expect(evaluate(set, { ...about(tool, 30), approval: { level: 30, count: 1 } }).verdict).not.toBe('ALLOW');
    expect(evaluate(set, { ...about(tool, 30), approval: { level: 40, count: 1 } }).verdict).toBe('ALLOW');
  });

  it.each(['destroys', 'is unknown'])('denies a tool that %s in the background, whoever has approved it', (tool) => {
    expect(evaluate(set, about(tool, 50, 'BACKGROUND')).verdict).toBe('DENY');
    expect(evaluate(set, { ...about(tool, 50, 'BACKGROUND'), approval: { level: 50, count: 9 } }).verdict).toBe('DENY');
  });
});
