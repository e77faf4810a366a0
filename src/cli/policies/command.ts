import { writeFile } from 'node:fs/promises';
import { Command, Option } from 'commander';
import { CommandError } from '../command-error.js';
import { serviceConnection } from '../connection.js';
import { apply, EXIT, plan, type Output } from './apply.js';
import { exportable, exportTo, manifestIn } from './export.js';
import { readFolder, type Folder } from './folder.js';
import { paintFor } from './present.js';
import { policyService, type PolicyService } from './service.js';
import { test } from './test.js';

interface CommonOptions {
  readonly url?: string;
  readonly token?: string;
  readonly namespace?: string;
  readonly json?: boolean;
}

interface FolderOptions extends CommonOptions {
  readonly repository?: string;
  readonly adopt: readonly string[];
  readonly adoptAll?: boolean;
  readonly allowEmpty?: boolean;
}

/** Where a command writes, and how it ends. */
export interface Terminal {
  readonly stdout: { readonly isTTY?: boolean; write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
  exitCode?: number | string | null | undefined;
}

/** `agent-governance policies`: policies as code. */
export function policiesCommand(terminal: Terminal = process): Command {
  const policies = new Command('policies')
    .description('Policies as code: a folder of .cedar files that stands for the policies of one namespace.')
    .addHelpText('after', ABOUT_FOLDERS);
  policies.addCommand(planCommand(terminal));
  policies.addCommand(applyCommand(terminal));
  policies.addCommand(testCommand(terminal));
  policies.addCommand(exportCommand(terminal));
  return policies;
}

const ABOUT_FOLDERS = `
The folder:
  NAME.cedar        the text of the policy NAME; what no file name holds is written as % and two digits, / as %2F
  NAME.cases.json   its cases, if it has any
  policies.json     may say {"namespace": "ID", "confirm": ["WARNING"], "policies": {"NAME": {"mode": "SHADOW", "description": "..."}}}
  Files whose names begin with a dot are passed over, other files named and left alone. Folders in it hold no policies.`;

function common(command: Command): Command {
  return command
    .argument('[folder]', 'the folder', '.')
    .addOption(
      new Option('--namespace <id>', 'the organization, group or project whose policies they are (default: what policies.json says)').env(
        'AGENT_GOVERNANCE_NAMESPACE',
      ),
    )
    .addOption(new Option('--url <url>', 'where the service is (default: the one that npm start started)').env('AGENT_GOVERNANCE_URL'))
    .addOption(
      new Option('--token <token>', 'bearer token; its user is a member of the namespace (default: the demo’s policy administrator)').env(
        'AGENT_GOVERNANCE_TOKEN',
      ),
    );
}

function ofFolder(command: Command): Command {
  return common(command)
    .addOption(
      new Option('--repository <url>', 'where the folder is, for whoever wants to change a policy by hand (default: CI_PROJECT_URL)').env(
        'AGENT_GOVERNANCE_REPOSITORY',
      ),
    )
    .addOption(
      new Option(
        '--adopt <name>',
        'take over this policy though it is not as the last apply has left it, or was always written by hand (repeatable)',
      )
        .argParser((name: string, names: readonly string[]) => [...names, name])
        .default([], 'none'),
    )
    .option('--adopt-all', 'take over all such policies')
    .option('--allow-empty', 'take a folder without policies for what it says: nothing is in force any more');
}

const confirmOption = (): Option =>
  new Option('--confirm <name>', 'a warning that is meant, by its name; "confirm" in policies.json does the same (repeatable)')
    .argParser((name: string, names: readonly string[]) => [...names, name])
    .default([], 'none');

const planCommand = (terminal: Terminal): Command =>
  ofFolder(new Command('plan'))
    .description('Shows what apply would change. Changes nothing; any member of the namespace can do it.')
    .option('--out <file>', 'write the plan to this file as well, as JSON, for apply --plan')
    .option('--json', 'print the plan as JSON')
    .addHelpText('after', '\nExit codes: 0 nothing would change, 2 something would, 1 it failed.')
    .action(async (path: string, options: FolderOptions & { readonly out?: string }) => {
      const { folder, namespaceId } = await opened(terminal, path, options);
      const keep = async (text: string): Promise<void> => void (options.out === undefined || (await writeFile(options.out, text)));
      const planning = { namespaceId, repository: repositoryIn(options), adopting: adoptingIn(options) };
      terminal.exitCode = await plan(serviceFor(terminal, options), folder, planning, outputFor(terminal, options), keep);
    });

const applyCommand = (terminal: Terminal): Command =>
  ofFolder(new Command('apply'))
    .description(
      'Makes the policies of the namespace those of the folder, all or none: creates, publishes, and retires what was applied before and is not there any more. Needs the scope policy:write and the role MAINTAINER. Applying again changes nothing.',
    )
    .option('--plan <file>', 'apply exactly what this plan says; refused when anything has changed since')
    .addOption(confirmOption())
    .option('--message <text>', 'what is said of it in every revision, such as the commit')
    .option('--json', 'print what came of it as one line of JSON')
    .addHelpText(
      'after',
      '\nExit codes: 0 applied, or nothing was to change; 3 refused: something is not as it was seen, or as the last apply has left it; 1 it failed or was refused otherwise.',
    )
    .action(
      async (
        path: string,
        options: FolderOptions & { readonly plan?: string; readonly message?: string; readonly confirm: readonly string[] },
      ) => {
        const { folder, namespaceId } = await opened(terminal, path, options);
        const applying = {
          ...{ namespaceId, repository: repositoryIn(options), adopting: adoptingIn(options) },
          ...{ message: options.message ?? null, planFile: options.plan ?? null, confirm: options.confirm },
        };
        terminal.exitCode = await apply(serviceFor(terminal, options), folder, applying, outputFor(terminal, options));
      },
    );

const testCommand = (terminal: Terminal): Command =>
  common(new Command('test'))
    .description(
      'Checks the texts of the folder and runs its cases, each beside what would be in force if all of it were applied. Changes nothing; any member of the namespace can do it.',
    )
    .addOption(confirmOption())
    .option('--coverage', 'say what no case ever decided')
    .option('--json', 'print what came of it as one line of JSON')
    .addHelpText('after', '\nExit codes: 0 all pass; 1 a case fails, a text is not acceptable, a warning is not confirmed, or it failed.')
    .action(async (path: string, options: CommonOptions & { readonly confirm: readonly string[]; readonly coverage?: boolean }) => {
      const { folder, namespaceId } = await opened(terminal, path, options);
      const testing = { namespaceId, confirm: options.confirm, isCoverageShown: options.coverage === true };
      terminal.exitCode = await test(serviceFor(terminal, options), folder, testing, outputFor(terminal, options));
    });

const exportCommand = (terminal: Terminal): Command =>
  common(new Command('export'))
    .description('Writes the policies of the namespace that are applied as code into the folder, to the byte as they were applied.')
    .option('--all', 'those that are written by hand as well')
    .option('--force', 'overwrite files that are another')
    .option('--json', 'print what was written as one line of JSON')
    .addHelpText('after', '\nExit codes: 0 done, 1 it failed; then nothing was overwritten.')
    .action(async (path: string, options: CommonOptions & { readonly all?: boolean; readonly force?: boolean }) => {
      const namespaceId = options.namespace ?? (await manifestIn(path)).namespace;
      if (namespaceId === undefined) throw new CommandError(WHICH_NAMESPACE);
      const service = serviceFor(terminal, options);
      const standing = await (options.all === true ? service.everything(namespaceId) : service.standing(namespaceId, []));
      const done = await exportTo(path, exportable(standing, options.all === true), { isForced: options.force === true });
      if (options.json === true) terminal.stdout.write(`${JSON.stringify(done)}\n`);
      else terminal.stdout.write(`Exported to ${path}: ${done.written.length} files written, ${done.unchanged.length} were so already.\n`);
      for (const note of done.notes) terminal.stderr.write(`${note}\n`);
      for (const file of done.left) terminal.stderr.write(`${file}: is of no policy that was exported; left alone.\n`);
      terminal.exitCode = EXIT.done;
    });

const WHICH_NAMESPACE =
  'Whose policies are they? Give --namespace, or set AGENT_GOVERNANCE_NAMESPACE, or say "namespace" in policies.json.';

async function opened(
  terminal: Terminal,
  path: string,
  options: CommonOptions & { readonly allowEmpty?: boolean },
): Promise<{ readonly folder: Folder; readonly namespaceId: string }> {
  const folder = await readFolder(path);
  const namespaceId = options.namespace ?? folder.manifest.namespace;
  if (namespaceId === undefined) throw new CommandError(WHICH_NAMESPACE);
  if (folder.policies.length === 0 && options.allowEmpty !== true)
    throw new CommandError(`The folder ${path} holds no .cedar file. If nothing of it is to be in force any more, say so: --allow-empty`);
  for (const name of folder.others) terminal.stderr.write(`${name}: is nothing of a policy’s; left alone.\n`);
  return { folder, namespaceId };
}

const repositoryIn = ({ repository }: FolderOptions): string | null => repository ?? (process.env['CI_PROJECT_URL'] || null);
const adoptingIn = ({ adopt, adoptAll }: FolderOptions) => ({ names: adopt, isAll: adoptAll === true });

/** How long to try again while the service does not answer, in seconds. */
const PATIENCE = 20;

function serviceFor(terminal: Terminal, options: CommonOptions): PolicyService {
  let isWaiting = false;
  const waiting = (): void => {
    if (!isWaiting) terminal.stderr.write('The service does not answer; trying again.\n');
    isWaiting = true;
  };
  return policyService({ ...serviceConnection(options), patience: PATIENCE, waiting, signal: new AbortController().signal });
}

const outputFor = (terminal: Terminal, { json }: CommonOptions): Output => ({
  isJson: json === true,
  paint: paintFor(terminal.stdout),
  write: (text) => void terminal.stdout.write(text),
  say: (text) => void terminal.stderr.write(text),
});
