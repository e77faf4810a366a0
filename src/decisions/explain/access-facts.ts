import { actorOf, humansBehind, type Humans, type SessionIdentities } from '../../audit/index.js';
import type { Agent, AgentReader, Directory, Namespace } from '../../directory/index.js';
import { userId, type Clock, type PageRequest, type UserId, type Viewer } from '../../kernel/index.js';
import type { Evaluation } from '../../policy/index.js';
import type { Tool, ToolReader } from '../../tools/index.js';
import { levelOf, levelsBehind, type CallFacts } from '../gather.js';
import type { Question } from '../question.js';
import type { Facts, Snapshots } from '../snapshot.js';
import { mayAskFor } from './asking-for.js';

export interface AccessReading {
  readonly snapshots: Snapshots;
  readonly directory: Pick<Directory, 'namespaces'> & AgentReader;
  readonly tools: ToolReader;
  readonly humans: Humans;
  readonly sessions: SessionIdentities;
  readonly clock: Clock;
}

/** Of what place, on whose behalf, for what calls and in what circumstances access is asked for. */
export interface AccessRequest extends Pick<Question, 'projectId' | 'arguments' | 'sessionId' | 'circumstances' | 'promises'> {
  /** Null: the viewer. */
  readonly userId: string | null;
  readonly page: PageRequest;
  /** Only what has one of these; null: all. */
  readonly verdicts: readonly Evaluation['verdict'][] | null;
}

/** The most agents or tools that one page looks at when only some verdicts are wanted. */
export const MAX_LOOKED_AT = 1_000;

/** The page to read for a request: one more than it may look at shows whether there are more. */
export const pageToRead = ({ verdicts, page }: AccessRequest): PageRequest =>
  verdicts === null ? page : { first: MAX_LOOKED_AT, after: page.after };

export interface EffectiveToolsRequest extends AccessRequest {
  readonly agentId: string;
}

export interface ToolAccessRequest extends AccessRequest {
  /** Canonical id, alias or name. */
  readonly tool: string;
}

const unique = (ids: readonly string[]): readonly string[] => [...new Set(ids)];

interface Placed {
  readonly project: Namespace;
  readonly line: readonly Namespace[];
}

/** The projects with their lines of namespaces. */
export async function readPlaces(
  { directory }: AccessReading,
  { organizationId }: Viewer,
  requests: readonly AccessRequest[],
): Promise<ReadonlyMap<string, Placed>> {
  const found = await directory.namespaces(organizationId, unique(requests.map(({ projectId }) => projectId)));
  const projects = found.filter(({ kind }) => kind === 'PROJECT');
  const above = await directory.namespaces(organizationId, unique(projects.flatMap(({ ancestors }) => ancestors)));
  const byId = new Map(above.map((namespace) => [namespace.id, namespace]));
  return new Map(projects.map((project) => [project.id, { project, line: project.ancestors.flatMap((id) => byId.get(id) ?? []) }]));
}

export async function readAgents(
  { directory }: AccessReading,
  { organizationId }: Viewer,
  requests: readonly EffectiveToolsRequest[],
): Promise<ReadonlyMap<string, Agent>> {
  const agents = await directory.agents(organizationId, unique(requests.map(({ agentId }) => agentId)));
  return new Map(agents.map((agent) => [agent.id, agent]));
}

/** The tools of a page of a project; one more than asked when there are more. One statement for each page that is asked for. */
export async function readToolPages({ tools }: AccessReading, { organizationId }: Viewer, requests: readonly EffectiveToolsRequest[]) {
  const keyOf = (request: EffectiveToolsRequest): string => JSON.stringify(pageToRead(request));
  const placeOf = (request: EffectiveToolsRequest): string => JSON.stringify([keyOf(request), request.projectId]);
  const lists = new Map<string, readonly Tool[] | null>();
  for (const [key, group] of groupBy(requests, keyOf)) {
    const projectIds = unique(group.map(({ projectId }) => projectId));
    const [first] = group;
    if (first === undefined) continue;
    const found = await tools.listFor(organizationId, [organizationId], projectIds, pageToRead(first));
    projectIds.forEach((projectId, index) => lists.set(JSON.stringify([key, projectId]), found[index] ?? null));
  }
  return (request: EffectiveToolsRequest): readonly Tool[] | null => lists.get(placeOf(request)) ?? null;
}

function groupBy<Item>(items: readonly Item[], keyOf: (item: Item) => string): ReadonlyMap<string, readonly Item[]> {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key) ?? [];
    group.push(item);
    groups.set(key, group);
  }
  return groups;
}

/** The tools that go by each name anywhere. */
export async function readNamedTools(
  { tools }: AccessReading,
  { organizationId }: Viewer,
  requests: readonly ToolAccessRequest[],
): Promise<ReadonlyMap<string, readonly Tool[]>> {
  const names = unique(requests.map(({ tool }) => tool));
  const found = await Promise.all(names.map((name) => tools.byAnyName(organizationId, name)));
  return new Map(names.map((name, index) => [name, found[index] ?? []]));
}

/** Lists of agents, each read once however many projects it is for. */
export function agentLists({ directory }: AccessReading, { organizationId }: Viewer, facts: Facts) {
  const lists = new Map<string, Promise<readonly Agent[]>>();
  return (wanted: Parameters<AgentReader['listAgents']>[1]): Promise<readonly Agent[]> => {
    const key = JSON.stringify(wanted);
    const list = lists.get(key) ?? facts.atThisEpoch(directory.listAgents(organizationId, wanted));
    lists.set(key, list);
    return list;
  };
}

export interface Place extends Placed, Pick<CallFacts, 'level' | 'onBehalf' | 'teams'> {
  readonly user: UserId;
}

/** Where and for whom access is asked for; null where there is no such place or user for the viewer. */
export async function placeFor(
  deps: Pick<AccessReading, 'humans'>,
  facts: Facts,
  viewer: Viewer,
  places: ReadonlyMap<string, Placed>,
  request: AccessRequest,
): Promise<Place | null> {
  const placed = places.get(request.projectId);
  const user = request.userId === null ? viewer.userId : userId(request.userId);
  if (placed === undefined || (await facts.level(viewer.userId, placed.project)) === 0) return null;
  if (!(await mayAskFor(facts, viewer, user, placed.project))) return null;
  const ownLevel = await facts.level(user, placed.project);
  const { organizationId } = viewer;
  const humanIds = await humansBehind(
    deps.humans,
    organizationId,
    await actorOf(deps.humans, { organizationId, userId: user }, request.sessionId),
  );
  const onBehalf = humanIds.length === 0 ? null : await levelsBehind(facts, placed.project, ownLevel, humanIds);
  const level = levelOf(ownLevel, onBehalf);
  if (level === 0) return null;
  return { ...placed, user, level, onBehalf, teams: (await facts.user(user))?.teams ?? [] };
}
