import { readFile } from 'node:fs/promises';
import { digestOfBundle } from '../../policy/index.js';
import { CommandError } from '../command-error.js';
import type { Folder } from './folder.js';
import { documentOf, driftedIn, isEmpty, planOf, readPlan, summaryOf, type Adopting, type Plan } from './plan.js';
import { counted, driftedInWords, planInWords, refusalInWords, summaryInWords, type Paint } from './present.js';
import type { Applied, Apply, PolicyService } from './service.js';

/** How a command ends. */
export const EXIT = { done: 0, failed: 1, changes: 2, drift: 3 } as const;

export interface Applying {
  readonly namespaceId: string;
  readonly repository: string | null;
  readonly message: string | null;
  /** The names of warnings that are meant, beside those that the folder confirms. */
  readonly confirm: readonly string[];
  readonly adopting: Adopting;
  /** The file of a plan that is to be applied, and nothing else. */
  readonly planFile: string | null;
}

/** What a command says: to people, or to tools. */
export interface Output {
  readonly isJson: boolean;
  readonly paint: Paint;
  /** To where results go. */
  write(text: string): void;
  /** To a person who waits or has to act. */
  say(text: string): void;
}

/** Applies a folder, and says what came of it. Answers the exit code. */
export async function apply(service: PolicyService, folder: Folder, applying: Applying, output: Output): Promise<number> {
  return applying.planFile === null
    ? applyNow(service, folder, applying, output)
    : applyPlanned(service, folder, applying.planFile, applying, output);
}

async function applyNow(service: PolicyService, folder: Folder, applying: Applying, output: Output): Promise<number> {
  const names = folder.policies.map(({ name }) => name);
  const plan = planOf(folder, await service.standing(applying.namespaceId, names), applying);
  if (!output.isJson) output.write(planInWords(plan, output.paint));
  if (isEmpty(plan)) return ended(output, { outcome: 'unchanged', summary: summaryOf(plan.changes) });
  if (driftedIn(plan).length > 0) {
    output.say(driftedInWords(plan));
    return ended(output, { outcome: 'drift', policies: driftedIn(plan).map(({ name, drift }) => ({ name, reason: drift })) });
  }
  return send(service, { ...requestOf(plan), message: applying.message, confirm: confirmedIn(folder, applying) }, output);
}

const confirmedIn = ({ manifest }: Folder, { confirm }: Pick<Applying, 'confirm'>): readonly string[] => [
  ...(manifest.confirm ?? []),
  ...confirm,
];

const requestOf = ({ namespaceId, repository, folder, seen, adopt }: Plan): Omit<Apply, 'message' | 'confirm'> => ({
  ...{ namespaceId, repository, policies: folder.policies, basedOn: seen, adopt },
});

/** Applies a folder on the state that a plan was made on: what has changed since is refused by the service. */
async function applyPlanned(service: PolicyService, folder: Folder, file: string, applying: Applying, output: Output): Promise<number> {
  const { namespaceId, repository, message, adopting } = applying;
  const confirm = confirmedIn(folder, applying);
  const plan = readPlan(file, await readPlanFile(file));
  if (plan.folder.digest !== digestOfBundle(folder.policies))
    throw new CommandError(`The folder ${folder.path} is not as it was when ${file} was planned. Plan again.`);
  if (plan.namespaceId !== namespaceId) throw new CommandError(`${file} is a plan for ${plan.namespaceId}, not for ${namespaceId}.`);
  if (repository !== null && plan.repository !== null && repository !== plan.repository)
    throw new CommandError(`${file} was planned in ${plan.repository}, not in ${repository}.`);
  const adopt = [...new Set([...plan.adopt, ...adopting.names, ...(adopting.isAll ? plan.refused : [])])];
  return send(
    service,
    { namespaceId, policies: folder.policies, basedOn: plan.state.policies, adopt, repository: plan.repository, message, confirm },
    output,
  );
}

const readPlanFile = async (file: string): Promise<string> =>
  readFile(file, 'utf8').catch((cause: unknown) => {
    throw new CommandError(`The plan ${file} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}.`, { cause });
  });

async function send(service: PolicyService, request: Apply, output: Output): Promise<number> {
  const done = waitingAloud(output, `Applying ${counted(request.policies.length, 'policy', 'policies')}`);
  const applied = await service.apply(request).finally(done);
  return 'results' in applied ? succeeded(applied, output) : refused(applied, output);
}

/** Says every few seconds that something is still under way; to be called when it is not any more. */
export function waitingAloud({ say, isJson }: Output, what: string): () => void {
  const began = Date.now();
  if (!isJson) say(`${what} …\n`);
  const timer = setInterval(() => say(`${what} … ${Math.round((Date.now() - began) / 1_000)} s\n`), 5_000);
  return () => clearInterval(timer);
}

function succeeded({ results }: Extract<Applied, { results: unknown }>, output: Output): number {
  const summary = summaryOf(results);
  const isUnchanged = results.every(({ action }) => action === 'KEEP');
  if (!output.isJson)
    output.write(isUnchanged ? 'No changes: the namespace is as the folder says.\n' : `Applied: ${summaryInWords(summary, true)}.\n`);
  return ended(output, { outcome: isUnchanged ? 'unchanged' : 'applied', summary, results });
}

const DRIFT_REFUSALS = new Set(['AgentPolicyBundleConflict', 'AgentPolicyBundleDrifted']);

function refused({ refusals }: Extract<Applied, { refusals: unknown }>, output: Output): number {
  for (const refusal of refusals) output.say(refusalInWords(refusal));
  const isDrift = refusals.length > 0 && refusals.every(({ __typename }) => DRIFT_REFUSALS.has(__typename));
  return ended(output, { outcome: isDrift ? 'drift' : 'refused', refusals });
}

/** What tools read of how applying ended. */
type Ended = { readonly outcome: 'applied' | 'unchanged' | 'drift' | 'refused' } & Readonly<Record<string, unknown>>;

function ended(output: Output, end: Ended): number {
  if (output.isJson) output.write(`${JSON.stringify(end)}\n`);
  return { applied: EXIT.done, unchanged: EXIT.done, drift: EXIT.drift, refused: EXIT.failed }[end.outcome];
}

/** Plans, and says so. Answers the exit code. `out`: the file that the plan goes to as JSON as well. */
export async function plan(
  service: PolicyService,
  folder: Folder,
  planning: Pick<Applying, 'namespaceId' | 'repository' | 'adopting'>,
  output: Output,
  keep: (text: string) => Promise<void>,
): Promise<number> {
  const names = folder.policies.map(({ name }) => name);
  const made = planOf(folder, await service.standing(planning.namespaceId, names), planning);
  const document = `${JSON.stringify(documentOf(made), null, 2)}\n`;
  await keep(document);
  output.write(output.isJson ? document : planInWords(made, output.paint));
  return isEmpty(made) ? EXIT.done : EXIT.changes;
}
