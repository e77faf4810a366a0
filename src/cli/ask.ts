import { randomUUID } from 'node:crypto';
import { Command, InvalidArgumentError, Option } from 'commander';
import { z } from 'zod';
import { isJsonObject, jsonProblem, parseJson, type Json, type JsonObject } from '../kernel/index.js';
import { ask, type Asking } from './api.js';
import { CommandError } from './command-error.js';
import { connection } from './connection.js';
import { shown } from './policies/diff.js';

/** Where the command writes, and how it ends. */
export interface Terminal {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
  exitCode?: number | string | null | undefined;
}

/** How the command ends: 1 is for what was not decided, 2 what a shell says of a command used wrongly, and `policies plan` of changes. */
export const EXIT = { ALLOW: 0, ASK: 3, DENY: 4 } as const;

/** How long to try again while the service does not answer, in seconds. */
const PATIENCE = 20;

interface Options {
  readonly url?: string;
  readonly token?: string;
  readonly project?: string;
  readonly agent: string;
  readonly tool: string;
  readonly arguments: JsonObject;
  readonly session?: string;
  readonly call?: string;
  readonly environment?: string;
  readonly branch?: string;
  readonly branchProtected?: boolean;
  readonly surface?: string;
  readonly mode?: string;
  readonly promise: readonly string[];
  readonly requestId?: string;
  readonly json?: boolean;
}

/** `agent-governance ask`: a decision, from a shell. */
export const askCommand = (terminal: Terminal = process): Command =>
  new Command('ask')
    .description(
      'Asks whether an agent may make a tool call now, for the user of the token. The answer is recorded, as for any call. What is left out of the circumstances is read as what policies are strictest about.',
    )
    .requiredOption('--agent <id>', 'the agent that would make the call')
    .requiredOption('--tool <name>', 'the tool: canonical id, alias or name')
    .option('--project <id>', 'the project in which (default: the demo’s acme/payments/api)')
    .addOption(new Option('--arguments <json>', 'the call’s arguments, a JSON object').argParser(argumentsIn).default({}, 'none'))
    .option('--session <id>', 'the run of the agent, as its events name it')
    .option('--call <id>', 'the call, as its events will name it')
    .option('--environment <name>', 'what the call acts on, such as production, staging or none')
    .option('--branch <name>', 'the branch that it acts on')
    .addOption(new Option('--branch-protected <boolean>', 'whether that branch is protected: true or false').argParser(booleanIn))
    .option('--surface <surface>', 'where the call comes from: WEB, IDE, CLI, CI or EXTERNAL')
    .option('--mode <mode>', 'whether a human is there to ask: INTERACTIVE or BACKGROUND')
    .addOption(
      new Option('--promise <obligation>', 'an obligation, or a kind of them, that whoever makes the call fulfils (repeatable)')
        .argParser((obligation: string, promises: readonly string[]) => [...promises, obligation])
        .default([], 'none'),
    )
    .option('--request-id <id>', 'the same question asked again under it has one record (default: a new one)')
    .addOption(new Option('--url <url>', 'where the service is (default: the one that npm start started)').env('AGENT_GOVERNANCE_URL'))
    .addOption(
      new Option('--token <token>', 'bearer token with the scope decision:request (default: the demo’s developer)').env(
        'AGENT_GOVERNANCE_TOKEN',
      ),
    )
    .option('--json', 'print the answer of the service as one line of JSON')
    .addHelpText(
      'after',
      `\nExit codes: ${EXIT.ALLOW} ALLOW, ${EXIT.ASK} ASK, ${EXIT.DENY} DENY, 1 nothing was decided; then the call must not be made either.`,
    )
    .action(async (options: Options) => {
      const answer = await answerTo(terminal, options);
      const { context } = answer;
      if (context.id === undefined) throw new CommandError(`The service did not decide: ${context.explanation}`);
      terminal.stdout.write(options.json === true ? `${JSON.stringify(answer)}\n` : inWords(context));
      terminal.exitCode = EXIT[context.verdict];
    });

const Context = z.looseObject({
  verdict: z.enum(['ALLOW', 'ASK', 'DENY']),
  explanation: z.string(),
  id: z.string().optional(),
  basis: z.string().optional(),
  advice: z.array(z.string()).default([]),
  obligations: z.array(z.string()).default([]),
  approvalNeeded: z.object({ level: z.number(), count: z.number() }).nullish(),
  reasons: z
    .array(
      z.looseObject({
        policyName: z.string(),
        revision: z.number(),
        effect: z.string(),
        statement: z.string().optional(),
        reason: z.string().optional(),
      }),
    )
    .default([]),
});
type Context = z.infer<typeof Context>;
const Answer = z.looseObject({ decision: z.boolean(), context: Context });

/** @throws CommandError when the service refuses, or does not answer. */
function answerTo(terminal: Terminal, options: Options): Promise<z.infer<typeof Answer>> {
  const { baseUrl, token, projectId } = connection(options);
  let isWaiting = false;
  const asking: Asking = {
    ...{ baseUrl, token, patience: PATIENCE, signal: new AbortController().signal },
    waiting: () => {
      if (!isWaiting) terminal.stderr.write('The service does not answer; trying again.\n');
      isWaiting = true;
    },
  };
  return ask(asking, '/access/v1/evaluation', requestFor(options, projectId), Answer, {
    'x-request-id': options.requestId ?? randomUUID(),
  });
}

/** The AuthZEN evaluation request; what was not given stays out of it. */
const requestFor = (options: Options, projectId: string): object => ({
  subject: { type: 'agent', id: options.agent },
  action: { name: 'invokeTool', properties: { arguments: options.arguments } },
  resource: { type: 'tool', id: options.tool, properties: { project: projectId } },
  context: {
    session: options.session,
    call: options.call,
    environment: options.environment,
    branch: options.branch,
    branchProtected: options.branchProtected,
    surface: options.surface,
    executionMode: options.mode,
    promises: options.promise,
  },
});

/** An answer for people. */
function inWords({ verdict, basis = '', explanation, reasons, advice, obligations, approvalNeeded, id = '' }: Context): string {
  const lines: readonly (readonly [string, string])[] = [
    [verdict, `${explanation} (${basis})`],
    ...reasons.map(({ effect, policyName, revision, statement, reason }): [string, string] => [
      effect.toLowerCase(),
      `${policyName}, revision ${revision}${statement === undefined ? '' : `, ${statement}`}${reason === undefined ? '' : `: ${reason}`}`,
    ]),
    ...advice.map((words): [string, string] => ['advice', words]),
    ...obligations.map((obligation): [string, string] => ['must do', obligation]),
    ...(approvalNeeded == null ? [] : [['approval', `of ${approvalNeeded.count}, of level ${approvalNeeded.level} or higher`] as const]),
    ['event', id],
  ];
  return lines.map(([name, words]) => `${name.padEnd(10)}${shown(words)}\n`).join('');
}

function argumentsIn(text: string): JsonObject {
  const value = jsonIn(text);
  if (!isJsonObject(value)) throw new InvalidArgumentError('It must be a JSON object, such as {"path": "README.md"}.');
  const problem = jsonProblem(value, 'arguments', 64);
  if (problem !== null) throw new InvalidArgumentError(`${problem.path} ${problem.reason}.`);
  return value;
}

/** Null when it is no JSON. */
function jsonIn(text: string): Json {
  try {
    return parseJson(text);
  } catch {
    return null;
  }
}

function booleanIn(text: string): boolean {
  if (text !== 'true' && text !== 'false') throw new InvalidArgumentError('It must be true or false.');
  return text === 'true';
}
