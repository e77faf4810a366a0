import DataLoader from 'dataloader';
import type { AgentCircumstancesInput, AgentResolvers, AgentToolResolvers, ProjectResolvers } from '../../generated/graphql.js';
import { connectionOf, cursorOf, Failure, isPlain, MAX_PAGE, pageRequest, type Page, type Viewer } from '../../kernel/index.js';
import { inputProblems } from '../../platform/graphql-input.js';
import { limitedTo } from '../../platform/graphql-limit.js';
import type { AccessReading, EffectiveToolsRequest, ToolAccessRequest } from '../explain/access-facts.js';
import { listEffectiveTools, listToolAccess, type AgentAccess, type EffectiveTool } from '../explain/effective-access.js';
import { CircumstancesInput, NameInput } from '../parse-question.js';

/** Effective access for one GraphQL request: asked entity by entity, answered in batches. */
export interface AccessForRequest {
  effectiveTools(request: EffectiveToolsRequest): Promise<Page<EffectiveTool> | null>;
  toolAccess(request: ToolAccessRequest): Promise<Page<AgentAccess> | null>;
  /** The same, for a page of tools at most: looking for verdicts costs more than what is found says. */
  agentsAllowed(request: ToolAccessRequest): Promise<Page<AgentAccess> | null>;
}

export interface AccessContext {
  readonly access: AccessForRequest;
}

export function accessForRequest(deps: AccessReading, viewer: () => Viewer): AccessForRequest {
  const tools = new DataLoader<EffectiveToolsRequest, Page<EffectiveTool> | null, string>(
    async (requests) => listEffectiveTools(deps, viewer(), requests),
    { cacheKeyFn: (request) => JSON.stringify(request) },
  );
  const agents = new DataLoader<ToolAccessRequest, Page<AgentAccess> | null, string>(
    async (requests) => listToolAccess(deps, viewer(), requests),
    { cacheKeyFn: (request) => JSON.stringify(request) },
  );
  return {
    effectiveTools: (request) => tools.load(request),
    toolAccess: (request) => agents.load(request),
    agentsAllowed: limitedTo(MAX_PAGE, 'lists usableBy', (request: ToolAccessRequest) => agents.load(request)),
  };
}

const TOOL_CURSOR = 'effective-tool';
const AGENT_CURSOR = 'tool-access';
const USABLE_CURSOR = 'usable-by';
const BARE_CALL = { arguments: {}, sessionId: null };
const isKey = (key: string): boolean => key !== '' && isPlain(key);

export const Agent: Pick<AgentResolvers<AccessContext>, 'effectiveTools'> = {
  async effectiveTools({ id }, { projectId, userId, circumstances, ...args }, { access }) {
    const page = await access.effectiveTools({
      ...{ agentId: id, projectId, page: pageRequest(TOOL_CURSOR, args, isKey) },
      ...{ userId: namedUser(userId), verdicts: null, ...BARE_CALL, ...circumstancesIn(circumstances) },
    });
    if (page === null) return null;
    return connectionOf(
      page,
      ({ toolId }) => cursorOf(TOOL_CURSOR, toolId),
      ({ toolId, ...item }) => ({ toolId, tool: { id: toolId }, ...presentAccess(item) }),
    );
  },
};

export const Project: Pick<ProjectResolvers<AccessContext>, 'agentToolAccess'> = {
  async agentToolAccess({ id }, { tool, userId, circumstances, verdicts, ...args }, { access }) {
    const page = await access.toolAccess({
      ...{ projectId: id, tool: nameIn('tool', tool), page: pageRequest(AGENT_CURSOR, args, isKey) },
      ...{ userId: namedUser(userId), verdicts: verdicts ?? null, ...BARE_CALL, ...circumstancesIn(circumstances) },
    });
    return page === null ? null : presentAgents(page, AGENT_CURSOR);
  },
};

export const AgentTool: Pick<AgentToolResolvers<AccessContext>, 'usableBy'> = {
  async usableBy({ id }, { projectId, circumstances, ...args }, { access }) {
    const page = await access.agentsAllowed({
      ...{ projectId, tool: id, page: pageRequest(USABLE_CURSOR, args, isKey) },
      ...{ userId: null, verdicts: ['ALLOW'], ...BARE_CALL, ...circumstancesIn(circumstances) },
    });
    return page === null ? null : presentAgents(page, USABLE_CURSOR);
  },
};

const presentAgents = (page: Page<AgentAccess>, kind: string) =>
  connectionOf(
    page,
    ({ agentId }) => cursorOf(kind, agentId),
    ({ agentId, ...item }) => ({ agentId, agent: { id: agentId }, ...presentAccess(item) }),
    kind,
  );

const presentAccess = ({ evaluation, dependsOn }: Omit<EffectiveTool, 'toolId'>) => ({
  ...{ verdict: evaluation.verdict, basis: evaluation.basis, obligations: [...evaluation.obligations] },
  ...{ approvalNeeded: evaluation.approval, dependsOn: [...dependsOn] },
});

const namedUser = (userId: string | null | undefined): string | null => (userId == null ? null : nameIn('userId', userId));

/** @throws Failure BAD_USER_INPUT */
function nameIn(field: string, given: string): string {
  const parsed = NameInput.safeParse(given);
  if (!parsed.success) throw new Failure('BAD_USER_INPUT', `${field}: ${parsed.error.issues.map(({ message }) => message).join(', ')}.`);
  return parsed.data;
}

/** @throws Failure BAD_USER_INPUT */
function circumstancesIn(given: AgentCircumstancesInput | null | undefined): Pick<EffectiveToolsRequest, 'circumstances' | 'promises'> {
  const parsed = CircumstancesInput.safeParse(given ?? {});
  if (parsed.success) return parsed.data;
  const problems = inputProblems(parsed.error).map(({ path, message }) => `circumstances.${path}: ${message}.`);
  throw new Failure('BAD_USER_INPUT', problems.join(' '));
}
