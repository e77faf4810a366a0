import type { Agent, AgentReader, Directory, Namespace } from '../../directory/index.js';
import { userId, type Clock, type Page, type PageRequest, type UserId, type Viewer } from '../../kernel/index.js';
import { effectiveAccess, type EffectiveAccess } from '../../policy/index.js';
import { namedAmong, type NamedTool, type Tool, type ToolReader } from '../../tools/index.js';
import { callOf, type CallFacts } from '../gather.js';
import type { Question } from '../question.js';
import type { Facts, Snapshots } from '../snapshot.js';
import { mayAskFor, overseesProject } from './asking-for.js';

export interface AccessReading {
  readonly snapshots: Snapshots;
  readonly directory: Pick<Directory, 'namespaces'> & AgentReader;
  readonly tools: ToolReader;
  readonly clock: Clock;
}

/** Of what place, on whose behalf and in what circumstances access is asked for. */
interface AccessRequest extends Pick<Question, 'circumstances' | 'promises'> {
  readonly projectId: string;
  /** Null: the viewer. */
  readonly userId: string | null;
  readonly page: PageRequest;
}

export interface EffectiveToolsRequest extends AccessRequest {
  readonly agentId: string;
}

export interface ToolAccessRequest extends AccessRequest {
  /** Canonical id, alias or name. */
  readonly tool: string;
  /** Null: all. */
  readonly verdicts: readonly EffectiveAccess['evaluation']['verdict'][] | null;
}

export interface EffectiveTool extends EffectiveAccess {
  readonly toolId: string;
}

export interface AgentAccess extends EffectiveAccess {
  readonly agentId: string;
}

/** The most agents that one page looks at when only some verdicts are wanted. */
export const MAX_LOOKED_AT = 1_000;

/**
 * What each of many agents may do with the tools of a project, for a call without arguments; null where the project does not exist for
 * the viewer, or they may not ask for that user. Few statements, however many are asked for.
 */
export async function listEffectiveTools(
  deps: AccessReading,
  viewer: Viewer,
  requests: readonly EffectiveToolsRequest[],
): Promise<readonly (Page<EffectiveTool> | null)[]> {
  return deps.snapshots.read(viewer.organizationId, async (facts) => {
    const [places, agents, pages] = await facts.atThisEpoch(
      Promise.all([readPlaces(deps, viewer, requests), readAgents(deps, viewer, requests), readToolPages(deps, viewer, requests)]),
    );
    return inTurn(requests, async (request) => {
      const place = await placeFor(facts, viewer, places, request);
      const tools = pages(request);
      if (place === null || tools === null) return null;
      const agent = agents.get(request.agentId) ?? null;
      const judge = judgeIn(deps, facts, place, request);
      return pageWith(request.page, tools, (tool) => ({
        toolId: tool.id,
        ...judge(request.agentId, agent, { tool, isElsewhere: false }, tool.id),
      }));
    });
  });
}

/**
 * What the agents of the directory may do with a tool in each of many projects, for a call without arguments; null where the project does
 * not exist for the viewer, or they may not ask for that user. Who maintains, owns or audits the project is shown every agent, others
 * those that they are responsible for.
 */
export async function listToolAccess(
  deps: AccessReading,
  viewer: Viewer,
  requests: readonly ToolAccessRequest[],
): Promise<readonly (Page<AgentAccess> | null)[]> {
  return deps.snapshots.read(viewer.organizationId, async (facts) => {
    const [places, tools] = await facts.atThisEpoch(
      Promise.all([readPlaces(deps, viewer, requests), readNamedTools(deps, viewer, requests)]),
    );
    const agents = agentLists(deps, viewer, facts);
    return inTurn(requests, async (request) => {
      const place = await placeFor(facts, viewer, places, request);
      if (place === null) return null;
      const { verdicts, page, tool } = request;
      const ownedBy = (await overseesProject(facts, viewer, place.project)) ? null : viewer.userId;
      const limit = verdicts === null ? page.first + 1 : MAX_LOOKED_AT + 1;
      const found = await agents({ ownedBy, after: page.after, limit });
      const named = namedAmong(tools.get(tool) ?? [], place.project.ancestors, tool);
      const judge = judgeIn(deps, facts, place, request);
      const access = (agent: Agent): AgentAccess => ({ agentId: agent.id, ...judge(agent.id, agent, named, tool) });
      if (verdicts === null) return pageWith(page, found, access);
      return somePage(page, found, access, ({ evaluation }) => verdicts.includes(evaluation.verdict));
    });
  });
}

/** One after the other, and others are let in between: a request may ask for thousands of verdicts. */
async function inTurn<Request, Answer>(
  requests: readonly Request[],
  answer: (request: Request) => Promise<Answer>,
): Promise<readonly Answer[]> {
  const answers: Answer[] = [];
  for (const request of requests) {
    answers.push(await answer(request));
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  return answers;
}

const unique = (ids: readonly string[]): readonly string[] => [...new Set(ids)];

interface Placed {
  readonly project: Namespace;
  readonly line: readonly Namespace[];
}

/** The projects with their lines of namespaces. */
async function readPlaces(
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

async function readAgents(
  { directory }: AccessReading,
  { organizationId }: Viewer,
  requests: readonly EffectiveToolsRequest[],
): Promise<ReadonlyMap<string, Agent>> {
  const agents = await directory.agents(organizationId, unique(requests.map(({ agentId }) => agentId)));
  return new Map(agents.map((agent) => [agent.id, agent]));
}

/** The tools of a page of a project; one more than asked when there are more. One statement for each page that is asked for. */
async function readToolPages({ tools }: AccessReading, { organizationId }: Viewer, requests: readonly EffectiveToolsRequest[]) {
  const keyOf = ({ page }: EffectiveToolsRequest): string => JSON.stringify(page);
  const placeOf = (request: EffectiveToolsRequest): string => JSON.stringify([keyOf(request), request.projectId]);
  const lists = new Map<string, readonly Tool[] | null>();
  for (const [key, group] of groupBy(requests, keyOf)) {
    const projectIds = unique(group.map(({ projectId }) => projectId));
    const [first] = group;
    if (first === undefined) continue;
    const found = await tools.listFor(organizationId, [organizationId], projectIds, first.page);
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
async function readNamedTools(
  { tools }: AccessReading,
  { organizationId }: Viewer,
  requests: readonly ToolAccessRequest[],
): Promise<ReadonlyMap<string, readonly Tool[]>> {
  const names = unique(requests.map(({ tool }) => tool));
  const found = await Promise.all(names.map((name) => tools.byAnyName(organizationId, name)));
  return new Map(names.map((name, index) => [name, found[index] ?? []]));
}

/** Lists of agents, each read once however many projects it is for. */
function agentLists({ directory }: AccessReading, { organizationId }: Viewer, facts: Facts) {
  const lists = new Map<string, Promise<readonly Agent[]>>();
  return (wanted: Parameters<AgentReader['listAgents']>[1]): Promise<readonly Agent[]> => {
    const key = JSON.stringify(wanted);
    const list = lists.get(key) ?? facts.atThisEpoch(directory.listAgents(organizationId, wanted));
    lists.set(key, list);
    return list;
  };
}

interface Place extends Placed, Pick<CallFacts, 'level' | 'teams'> {
  readonly user: UserId;
}

async function placeFor(facts: Facts, viewer: Viewer, places: ReadonlyMap<string, Placed>, request: AccessRequest): Promise<Place | null> {
  const placed = places.get(request.projectId);
  const user = request.userId === null ? viewer.userId : userId(request.userId);
  if (placed === undefined || (await facts.level(viewer.userId, placed.project)) === 0) return null;
  if (!(await mayAskFor(facts, viewer, user, placed.project))) return null;
  const level = await facts.level(user, placed.project);
  if (level === 0) return null;
  return { ...placed, user, level, teams: (await facts.user(user))?.teams ?? [] };
}

/** Judges calls in a place, all at one moment. */
function judgeIn(deps: AccessReading, facts: Facts, place: Place, { circumstances, promises, projectId }: AccessRequest) {
  const now = deps.clock();
  const set = facts.policySet(place.project, now);
  return (agentId: string, agent: Agent | null, named: NamedTool, tool: string): EffectiveAccess => {
    const asked = { agentId, projectId, tool, arguments: {}, sessionId: null, circumstances, promises };
    return effectiveAccess(set, callOf(place.user, asked, { ...place, agent, named }, now));
  };
}

function pageWith<Row, Item>({ first, after }: PageRequest, rows: readonly Row[], present: (row: Row) => Item): Page<Item> {
  return { items: rows.slice(0, first).map(present), hasNextPage: rows.length > first, hasPreviousPage: after !== null };
}

/** A page of those that are wanted: ends when it is full, or enough rows were looked at. */
async function somePage<Row extends { readonly id: string }, Item>(
  { first, after }: PageRequest,
  rows: readonly Row[],
  present: (row: Row) => Item,
  isWanted: (item: Item) => boolean,
): Promise<Page<Item>> {
  const items: Item[] = [];
  let looked = 0;
  for (const row of rows.slice(0, MAX_LOOKED_AT)) {
    if (items.length === first) break;
    looked += 1;
    const item = present(row);
    if (isWanted(item)) items.push(item);
    if (looked % 100 === 0) await new Promise<void>((resolve) => setImmediate(resolve));
  }
  const last = rows[looked - 1];
  return {
    ...{ items, hasNextPage: rows.length > looked, hasPreviousPage: after !== null },
    ...(last !== undefined && { end: last.id }),
  };
}
