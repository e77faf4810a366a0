#!/usr/bin/env node
import { Command, InvalidArgumentError, Option } from 'commander';
import { askCommand } from './ask.js';
import { connection } from './connection.js';
import { CommandError } from './command-error.js';
import { policiesCommand } from './policies/command.js';
import { replayFile, type Summary } from './replay.js';
import { replayProgress } from './replay-progress.js';

const program = new Command('agent-governance')
  .description('Talks to the agent governance service over its public API.')
  .showHelpAfterError();

program
  .command('replay')
  .description(
    'Replays recorded agent runs: for each run a session, a decision before each tool call, and, where the call is allowed, what came of it. Replaying again adds nothing.',
  )
  .argument(
    '<file>',
    'one tool call a line, as JSON: traceId, model, step, tool, args, and, as far as known, callId, error, suite, userTask',
  )
  .addOption(
    new Option('--url <url>', 'where the service is, for example http://127.0.0.1:4001 (default: the one that npm start started)').env(
      'AGENT_GOVERNANCE_URL',
    ),
  )
  .addOption(
    new Option(
      '--token <token>',
      'bearer token with the scopes audit:read, audit:record and decision:request (default: the demo’s developer)',
    ).env('AGENT_GOVERNANCE_TOKEN'),
  )
  .option('--project <id>', 'id of the project in which the runs took place (default: the demo’s acme/payments/api)')
  .option('--agent-prefix <prefix>', 'what precedes the model’s name in an agent’s id', 'gid://platform/Agent/')
  .option('--concurrency <runs>', 'how many runs are replayed at once', wholeNumber(1, 64), 8)
  .option('--patience <seconds>', 'how long to try again while the service does not answer', wholeNumber(0, 86_400), 60)
  .option('--json', 'print the summary as one line of JSON')
  .action(async (file: string, options: ReplayOptions) => {
    const progress = replayProgress(process.stderr);
    const summary = await replayFile(file, { ...options, ...connection(options), progress });
    process.stdout.write(options.json === true ? `${JSON.stringify(summary)}\n` : inWords(summary));
  });

program.addCommand(askCommand());
program.addCommand(policiesCommand());

interface ReplayOptions {
  readonly url?: string;
  readonly token?: string;
  readonly project?: string;
  readonly agentPrefix: string;
  readonly concurrency: number;
  readonly patience: number;
  readonly json?: boolean;
}

function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < least || value > most)
      throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`);
    return value;
  };
}

const inWords = ({ runs, calls, allowed, denied, stored, durationSeconds }: Summary): string =>
  [
    ['runs', runs],
    ['calls', calls],
    ['allowed', allowed],
    ['denied', denied],
    ['stored', `${stored} events`],
    ['duration', `${durationSeconds.toFixed(1)} s`],
  ]
    .map(([name, value]) => `${String(name).padEnd(10)}${value}\n`)
    .join('');

program.parseAsync().catch((error: unknown) => {
  process.stderr.write(
    error instanceof CommandError ? `${error.message}\n` : `${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  );
  process.exitCode = 1;
});
