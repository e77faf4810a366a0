import { z } from 'zod';
import {
  digestOfBundle,
  digestOfSeen,
  planBundle,
  seenOf,
  type BundleChange,
  type BundledPolicy,
  type BundleAction,
  type SeenPolicy,
} from '../../policy/index.js';
import { CommandError } from '../command-error.js';
import { unifiedDiff } from './diff.js';
import { CASES_END, TEXT_END, toFileName } from './file-names.js';
import type { Folder } from './folder.js';
import type { Standing } from './service.js';

/** What applying a folder to a namespace would do now. */
export interface Plan {
  readonly namespaceId: string;
  /** Where the folder is; null: it is not said. */
  readonly repository: string | null;
  readonly folder: Folder;
  readonly changes: readonly BundleChange<BundledPolicy, Standing>[];
  readonly seen: readonly SeenPolicy[];
  /** Names of policies that are not as the last apply has left them, and are taken over all the same. */
  readonly adopt: readonly string[];
}

/** Which policies are taken over that are not as the last apply has left them: those named, or all. */
export interface Adopting {
  readonly names: readonly string[];
  readonly isAll: boolean;
}

/**
 * What is to be done to make a namespace's policies those of a folder. Pure.
 *
 * @throws CommandError when a policy is to be adopted that there is not in the folder
 */
export function planOf(
  folder: Folder,
  standing: readonly Standing[],
  { namespaceId, repository, adopting }: { readonly namespaceId: string; readonly repository: string | null; readonly adopting: Adopting },
): Plan {
  const changes = planBundle(folder.policies, standing, repository);
  const stray = adopting.names.filter((name) => changes.every((change) => change.name !== name));
  if (stray.length > 0)
    throw new CommandError(`--adopt: there is no policy ${stray.map((name) => JSON.stringify(name)).join(', ')} in the plan.`);
  const adopt = changes
    .filter(({ name, drift }) => drift !== null && drift !== 'TOOL_RULES' && (adopting.isAll || adopting.names.includes(name)))
    .map(({ name }) => name);
  return { namespaceId, repository, folder, changes, seen: standing.map(seenOf), adopt };
}

export const isEmpty = ({ changes }: Plan): boolean => changes.every(({ action }) => action === 'KEEP');

/** The changes of policies that are not as the last apply has left them, and are not adopted. */
export const driftedIn = ({ changes, adopt }: Plan): Plan['changes'] =>
  changes.filter(({ name, drift }) => drift !== null && !adopt.includes(name));

export type Summary = Readonly<Record<'create' | 'publish' | 'retire' | 'adopt' | 'keep', number>>;

export function summaryOf(done: readonly { readonly action: BundleAction }[]): Summary {
  const count = (wanted: BundleAction): number => done.filter(({ action }) => action === wanted).length;
  return { create: count('CREATE'), publish: count('PUBLISH'), retire: count('RETIRE'), adopt: count('ADOPT'), keep: count('KEEP') };
}

/** The form of a plan as JSON; raised by every change that tools could trip over. */
const FORMAT = 1;

const Change = z.object({
  name: z.string(),
  action: z.enum(['CREATE', 'PUBLISH', 'RETIRE', 'ADOPT']),
  drift: z.enum(['RELEASED', 'HAND_WRITTEN', 'OTHER_REPOSITORY', 'TOOL_RULES']).nullable(),
  /** Null when it is new. */
  policyId: z.string().nullable(),
  /** The latest; 0 when it was never published. */
  revision: z.number(),
  /** Null when it is taken out of force. */
  mode: z.enum(['ENFORCE', 'SHADOW']).nullable(),
  previousMode: z.enum(['ENFORCE', 'SHADOW']).nullable(),
  description: z.string().nullable(),
  previousDescription: z.string().nullable(),
  /** As a unified diff; empty where nothing changes. */
  diff: z.string(),
  casesDiff: z.string(),
});

const PlanDocument = z.object({
  format: z.literal(FORMAT),
  namespaceId: z.string(),
  repository: z.string().nullable(),
  folder: z.object({ digest: z.string(), policies: z.number(), others: z.array(z.string()) }),
  /** What the plan was made on. */
  state: z.object({
    digest: z.string(),
    policies: z.array(
      z.object({
        ...{ policyId: z.string(), name: z.string(), revision: z.number() },
        origin: z.enum(['AUTHORED', 'TOOL_RULES', 'AS_CODE']),
      }),
    ),
  }),
  /** Names that applying the plan takes over. */
  adopt: z.array(z.string()),
  /** Names that applying the plan is refused for. */
  refused: z.array(z.string()),
  isEmpty: z.boolean(),
  summary: z.record(z.string(), z.number()),
  changes: z.array(Change),
});
export type PlanDocument = z.infer<typeof PlanDocument>;

/**
 * A plan as JSON. Whoever applies it has seen it: what was released since the last apply, or was applied from elsewhere, is taken over. But
 * what was always written by hand is, if it was adopted by name.
 */
export function documentOf(plan: Plan): PlanDocument {
  const { namespaceId, repository, folder, changes, seen } = plan;
  const adopt = changes
    .filter(({ name, drift }) => drift === 'RELEASED' || drift === 'OTHER_REPOSITORY' || plan.adopt.includes(name))
    .map(({ name }) => name);
  return {
    format: FORMAT,
    ...{ namespaceId, repository },
    folder: { digest: digestOfBundle(folder.policies), policies: folder.policies.length, others: [...folder.others] },
    state: { digest: digestOfSeen(seen), policies: [...seen] },
    adopt,
    refused: changes.filter(({ name, drift }) => drift !== null && !adopt.includes(name)).map(({ name }) => name),
    isEmpty: isEmpty(plan),
    summary: summaryOf(changes),
    changes: changes.flatMap((change) => (change.action === 'KEEP' ? [] : [{ ...presented(change), action: change.action }])),
  };
}

const presented = ({ name, drift, before, after }: Plan['changes'][number]): Omit<PlanDocument['changes'][number], 'action'> => ({
  ...{ name, drift, policyId: before?.policyId ?? null, revision: before?.latest?.revision ?? 0 },
  ...{ mode: after?.mode ?? null, previousMode: before?.latest?.mode ?? null },
  ...{ description: after === null ? null : after.description, previousDescription: before?.description ?? null },
  ...diffsOf({ name, before, after }),
});

/** What changes in a policy's text and cases. What is out of force counts as nothing. */
export function diffsOf({ name, before, after }: Pick<Plan['changes'][number], 'name' | 'before' | 'after'>): {
  readonly diff: string;
  readonly casesDiff: string;
} {
  const latest = before?.latest?.status === 'PUBLISHED' ? before.latest : null;
  const fileName = toFileName(name);
  return {
    diff: unifiedDiff(fileName + TEXT_END, latest?.text ?? null, after?.text ?? null),
    casesDiff: unifiedDiff(fileName + CASES_END, latest?.cases ?? null, after?.cases ?? null),
  };
}

/** @throws CommandError when `text` is no plan, or one of another version of this command. */
export function readPlan(file: string, text: string): PlanDocument {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new CommandError(`${file}: is no plan: it is no JSON. Make one with: agent-governance policies plan --json`, { cause });
  }
  const read = PlanDocument.safeParse(value);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  throw new CommandError(
    `${file}: is no plan that this version of the command knows (${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}). Make one with: agent-governance policies plan --json`,
  );
}
