import type { Agent } from '../../directory/index.js';
import { othersFirst, pageOf, type Page, type PageRequest, type Viewer } from '../../kernel/index.js';
import { effectiveAccess, type EffectiveAccess } from '../../policy/index.js';
import { namedAmong, type NamedTool } from '../../tools/index.js';
import { callOf } from '../gather.js';
import { identify, unasked } from '../identity.js';
import type { Facts } from '../snapshot.js';
import {
  agentLists,
  MAX_LOOKED_AT,
  pageToRead,
  placeFor,
  readAgents,
  readNamedTools,
  readPlaces,
  readToolPages,
  type AccessReading,
  type AccessRequest,
  type EffectiveToolsRequest,
  type Place,
  type ToolAccessRequest,
} from './access-facts.js';
import { overseesProject } from './asking-for.js';

export interface EffectiveTool extends EffectiveAccess {
  readonly toolId: string;
}

export interface AgentAccess extends EffectiveAccess {
  readonly agentId: string;
}

/**
 * What each of many agents may do with the tools of a project, for calls with the arguments that are named; null where the project does
 * not exist for the viewer, or they may not ask for that user. Few statements, however many are asked for.
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
      const place = await placeFor(deps, facts, viewer, places, request);
      const tools = pages(request);
      if (place === null || tools === null) return null;
      const agent = agents.get(request.agentId) ?? null;
      const judge = await judgeIn(deps, facts, { viewer, place, request });
      return pageWith(request, tools, (tool) => ({
        toolId: tool.id,
        ...judge(request.agentId, agent, { tool, isElsewhere: false }, tool.id),
      }));
    });
  });
}

/**
 * What the agents of the directory may do with a tool in each of many projects, for calls with the arguments that are named; null where
 * the project does not exist for the viewer, or they may not ask for that user. Who maintains, owns or audits the project is shown every
 * agent, others those that they are responsible for.
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
      const place = await placeFor(deps, facts, viewer, places, request);
      if (place === null) return null;
      const { tool } = request;
      const { first, after } = pageToRead(request);
      const ownedBy = (await overseesProject(facts, viewer, place.project)) ? null : viewer.userId;
      const found = await agents({ ownedBy, after, limit: first + 1 });
      const named = namedAmong(tools.get(tool) ?? [], place.project.ancestors, tool);
      const judge = await judgeIn(deps, facts, { viewer, place, request });
      return pageWith(request, found, (agent): AgentAccess => ({ agentId: agent.id, ...judge(agent.id, agent, named, tool) }));
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
    await othersFirst();
  }
  return answers;
}

interface Judging {
  readonly viewer: Viewer;
  readonly place: Place;
  readonly request: AccessRequest;
}

type Judge = (agentId: string, agent: Agent | null, named: NamedTool, tool: string) => EffectiveAccess;

/** Judges calls in a place, all at one moment, as the decision would that holds them against the token and what is known of the session. */
async function judgeIn(deps: AccessReading, facts: Facts, { viewer, place, request }: Judging): Promise<Judge> {
  const { circumstances, promises, projectId, sessionId } = request;
  const session = sessionId === null ? null : await deps.sessions.identity(viewer.organizationId, sessionId);
  // Of the token that somebody else would ask with, nothing is known.
  const caller = { userId: place.user, agentId: place.user === viewer.userId ? viewer.agentId : null };
  const now = deps.clock();
  const set = facts.policySet(place.project, now);
  return (agentId, agent, named, tool) => {
    const call = { agentId, projectId, tool, arguments: request.arguments, sessionId, circumstances, promises };
    const { question, isSomebodyElse } = identify(caller, { requestId: null, callId: null, ...call }, session);
    if (isSomebodyElse) return { evaluation: unasked('IDENTITY_CONTRADICTED'), dependsOn: session === null ? [] : ['SESSION'] };
    return effectiveAccess(set, callOf(place.user, question, { ...place, agent, named }, now));
  };
}

async function pageWith<Row extends { readonly id: string }, Item extends EffectiveAccess>(
  { page, verdicts }: AccessRequest,
  rows: readonly Row[],
  present: (row: Row) => Item,
): Promise<Page<Item>> {
  if (verdicts !== null) return somePage(page, rows, present, ({ evaluation }) => verdicts.includes(evaluation.verdict));
  const whole = pageOf(rows, page);
  return { ...whole, items: whole.items.map(present) };
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
    if (looked % 100 === 0) await othersFirst();
  }
  const last = rows[looked - 1];
  return {
    ...{ items, hasNextPage: rows.length > looked, hasPreviousPage: after !== null },
    ...(last !== undefined && { end: last.id }),
  };
}
