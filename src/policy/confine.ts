import type { Directory, Namespace } from '../directory/index.js';
import { isJsonObject, type Json, type OrganizationId } from '../kernel/index.js';
import { placeOf } from './guard.js';
import type { PolicyProblem, Statement } from './policy.js';
import { entitiesNamed, scopeOf, type EntityId } from './statement-scope.js';

const KIND_OF_TYPE: ReadonlyMap<string, Namespace['kind']> = new Map([
  ['Organization', 'ORGANIZATION'],
  ['Group', 'GROUP'],
  ['Project', 'PROJECT'],
]);

/**
 * What keeps statements from being attached to `namespace`: a scope that names an organization, group or project which is neither the
 * namespace nor below it, and what is left open for a template to fill.
 *
 * It is the parsed form that is looked at: a text can write one thing in many ways. A statement whose scope names no namespace needs
 * nothing, since a policy is loaded for the projects of its own namespace alone; and a condition can only take away from what a scope
 * reaches. So this is no wall that decisions need: it is the answer to an author who believes that it would work.
 */
export async function confinementProblems(
  directory: Pick<Directory, 'namespaces'>,
  organizationId: OrganizationId,
  namespace: Namespace,
  read: ReadStatements,
): Promise<readonly PolicyProblem[]> {
  const [problems = []] = await confinementProblemsOfAll(directory, organizationId, namespace, [read]);
  return problems;
}

interface ReadStatements {
  readonly text: string;
  readonly statements: readonly Statement[];
}

/** The same of many texts, in their order. */
export async function confinementProblemsOfAll(
  directory: Pick<Directory, 'namespaces'>,
  organizationId: OrganizationId,
  namespace: Namespace,
  texts: readonly ReadStatements[],
): Promise<readonly (readonly PolicyProblem[])[]> {
  const namedIn = texts.map(({ statements }) =>
    distinct(statements.flatMap(({ est }) => entitiesNamed(scopeOf(est).resource))).filter(({ type }) => KIND_OF_TYPE.has(type)),
  );
  const found = await directory.namespaces(organizationId, [...new Set(namedIn.flat().map(({ id }) => id))]);
  const known = new Map(found.map((each) => [each.id, each]));
  return texts.map(({ text, statements }, index) => {
    const open = statements.filter(({ est }) => hasSlot(est)).map(() => templateProblem);
    const outside = (namedIn[index] ?? []).filter((entity) => !isWithin(known.get(entity.id), entity, namespace));
    return [...open, ...outside.map((entity) => outsideProblem(text, entity, namespace))];
  });
}

const templateProblem: PolicyProblem = {
  message: 'Templates (?principal, ?resource) are not supported.',
  help: 'Write the policy out.',
  line: null,
  column: null,
};

const isWithin = (found: Namespace | undefined, { type }: EntityId, namespace: Namespace): boolean =>
  found !== undefined && found.kind === KIND_OF_TYPE.get(type) && found.ancestors.includes(namespace.id);

/** Says the same of what is elsewhere and of what there is not: which of them it is, is not everybody's to know. */
function outsideProblem(text: string, { type, id }: EntityId, namespace: Namespace): PolicyProblem {
  const written = `${type}::${JSON.stringify(id)}`;
  const index = text.indexOf(written);
  return {
    message: `The scope names ${written}, which is not ${namespace.id} nor below it: the policy reaches what is below the namespace that it is attached to, and nothing else.`,
    help: 'Name something below, leave the resource open, or attach the policy to a namespace above both.',
    ...(index < 0 ? { line: null, column: null } : placeOf(text, index)),
  };
}

const memberOf = (value: Json | undefined, name: string): Json | undefined => (isJsonObject(value) ? value[name] : undefined);

/** Whether a place of the statement's parentheses is left for a template to fill. */
export const hasSlot = (est: Json): boolean =>
  ['principal', 'action', 'resource'].some((name) => {
    const place = memberOf(est, name);
    return memberOf(place, 'slot') !== undefined || memberOf(memberOf(place, 'in'), 'slot') !== undefined;
  });

const distinct = (entities: readonly EntityId[]): readonly EntityId[] => [
  ...new Map(entities.map((entity) => [JSON.stringify([entity.type, entity.id]), entity])).values(),
];
