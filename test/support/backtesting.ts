import type { Client } from './subgraph.js';

/** What a backtest came to. */
export interface TestBacktest {
  readonly id: string;
  readonly status: string;
  readonly problem: string | null;
  readonly progress: number;
  readonly report: Readonly<Record<string, unknown>> | null;
}

export const REPORT =
  'report { decisions newlyDenied newlyAsked newlyAllowed skipped withoutArguments notReproduced groupsLeftOut callsLeftOut digest }';
const BACKTEST = `id status problem progress isFiltered from to ${REPORT}`;
const START = `mutation ($input: AgentPolicyBacktestInput!) { answer: agentPolicyBacktest(input: $input) { backtest { ${BACKTEST} }
  errors { __typename ... on AgentRefusal { message } ... on AgentInputInvalid { problems { path message } }
    ... on AgentPolicyInvalid { textProblems: problems { message line } } ... on AgentNotFound { field } } } }`;
const FOLLOW = `subscription ($id: ID!) { backtest: agentPolicyBacktestAdvanced(id: $id) { ${BACKTEST} } }`;

export interface StartAnswer {
  readonly backtest: TestBacktest | null;
  readonly errors: readonly Readonly<Record<string, unknown>>[];
}

/** Starts a backtest; what the payload says. */
export async function startBacktest(client: Client, input: object): Promise<StartAnswer> {
  const { data, errors } = await client.graphql<{ readonly answer: StartAnswer | null }>(START, { input });
  if (data?.answer == null) throw new Error(`The request failed: ${JSON.stringify(errors)}`);
  return data.answer;
}

/** Everything that is told of a backtest, until it has ended. */
export async function followed(client: Client, id: string): Promise<readonly TestBacktest[]> {
  const told: TestBacktest[] = [];
  for await (const raw of client.subscribe(FOLLOW, { id })) {
    const { data, errors } = raw as { data?: { backtest: TestBacktest }; errors?: unknown };
    if (data === undefined || errors !== undefined) throw new Error(`The backtest cannot be followed: ${JSON.stringify(errors)}`);
    told.push(data.backtest);
  }
  return told;
}

/** A backtest that has been done. */
export async function backtested(client: Client, input: object): Promise<TestBacktest> {
  const { backtest, errors } = await startBacktest(client, input);
  if (backtest === null) throw new Error(`No backtest was started: ${JSON.stringify(errors)}`);
  const last = (await followed(client, backtest.id)).at(-1);
  if (last?.status !== 'DONE') throw new Error(`The backtest is not done: ${JSON.stringify(last)}`);
  return last;
}
