import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { withClient } from '../support/cluster.js';
import { TOOLS } from '../support/company.js';
import { showProgress } from '../support/progress.js';
import { createPolicy, type Administrator } from './setting.js';

export interface BacktestRun {
  readonly seconds: number;
  readonly decisions: number;
  readonly newlyDenied: number;
  /** Milliseconds for a decision, asked one after the other while it ran. */
  readonly decisionsBeside: readonly number[];
}

const Started = z.object({ answer: z.object({ backtest: z.object({ id: z.string() }) }) });
const START =
  'mutation ($input: AgentPolicyBacktestInput!) { answer: agentPolicyBacktest(input: $input) { backtest { id } errors { __typename } } }';
const Status = z.object({
  backtest: z.object({
    status: z.enum(['RUNNING', 'DONE']),
    progress: z.number(),
    report: z.object({ decisions: z.number(), newlyDenied: z.number() }).nullable(),
  }),
});
const STATUS = 'query ($id: ID!) { backtest: agentPolicyBacktest(id: $id) { status progress report { decisions newlyDenied } } }';

/** Backtests a draft that would deny one tool in the evenings, and asks for decisions meanwhile. */
export async function measureBacktest(administrator: Administrator): Promise<BacktestRun> {
  const text = `forbid (principal, action, resource in Tool::"com.example.platform/${TOOLS[0]}") when { context.local.hour >= 18 };`;
  const policyId = await createPolicy(administrator, text);
  const progress = showProgress('Asking recorded decisions again', 100, 'per cent');
  const startedAt = performance.now();
  const { answer } = await administrator.graphql(START, { input: { policyId } }, Started);
  const decisionsBeside: number[] = [];
  for (let done = 0; ;) {
    const { backtest } = await administrator.graphql(STATUS, { id: answer.backtest.id }, Status);
    progress.advance(Math.round(100 * backtest.progress) - done);
    done = Math.round(100 * backtest.progress);
    if (backtest.report !== null) {
      progress.stop();
      return { seconds: (performance.now() - startedAt) / 1_000, ...backtest.report, decisionsBeside };
    }
    decisionsBeside.push(await aDecision(administrator));
    await delay(50);
  }
}

/** Milliseconds for a decision. */
export async function aDecision(administrator: Administrator): Promise<number> {
  const startedAt = performance.now();
  await administrator.decide('grep');
  return performance.now() - startedAt;
}

/** Seconds to read the JSON of all decisions by one `COPY`, which looks at nothing. */
export const readByCopy = (databaseUrl: string): Promise<number> =>
  withClient(databaseUrl, async (client) => {
    const startedAt = performance.now();
    await client.query("COPY (SELECT json FROM audit_event WHERE type = 'ai_tool_decision_made') TO PROGRAM 'cat > /dev/null'");
    return (performance.now() - startedAt) / 1_000;
  });
