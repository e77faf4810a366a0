import DataLoader from 'dataloader';
import { z } from 'zod';
import type {
  AgentApprovalPayloadResolvers,
  AgentDecisionResolvers,
  AgentEffectiveToolResolvers,
  AgentPolicyExplanationResolvers,
  AgentToolPayloadResolvers,
  AgentToolResolvers,
  MutationResolvers,
  ProjectResolvers,
  QueryResolvers,
  ResolversTypes,
} from '../generated/graphql.js';
import {
  connectionOf,
  cursorOf,
  isJsonObject,
  isPlainText,
  isWellFormed,
  jsonProblem,
  pageRequest,
  type JsonObject,
  type Page,
  type PageRequest,
  type Viewer,
} from '../kernel/index.js';
import { inputInvalid, inputProblems, notFound } from '../platform/graphql-input.js';
import { loadersByPage } from '../platform/graphql-loaders.js';
import { listTools, listToolsFor, toolsById, type ToolReading } from './read-tools.js';
import { registerTool, type Registering, type RegisterOutcome } from './register-tool.js';
import { partsOf, RISKS, type Tool } from './tool.js';

/** The registry for one GraphQL request: asked field by field, answered in batches. */
export interface ToolsForRequest {
  readonly viewer: () => Viewer;
  readonly deps: ToolReading & Registering;
  byId(id: string): Promise<Tool | null>;
  listFor(projectId: string, page: PageRequest): Promise<Page<Tool> | null>;
}

export interface ToolContext {
  readonly tools: ToolsForRequest;
}

export function toolsForRequest(deps: ToolReading & Registering, viewer: () => Viewer): ToolsForRequest {
  const byId = new DataLoader<string, Tool | null>(async (ids) => toolsById(deps, viewer(), ids));
  const listFor = loadersByPage((page) => async (ids) => listToolsFor(deps, viewer(), ids, page));
  return {
    viewer,
    deps,
    byId: (id) => byId.load(id),
    listFor: (projectId, page) => listFor(page).load(projectId),
  };
}

type PresentedTool = Awaited<ResolversTypes['AgentTool']>;

const CURSOR = 'tool';
const isKey = (key: string): boolean => key !== '' && !key.includes('\u0000');
const presentPage = (page: Page<Tool>) => connectionOf(page, (tool) => cursorOf(CURSOR, tool.id), presentTool);

function presentTool({ registeredAt, changedAt, registeredBy, ...said }: Tool): PresentedTool {
  return {
    ...said,
    ...partsOf(said.id),
    risk: RISKS[said.actionType],
    registeredAt: registeredAt.toISOString(),
    changedAt: changedAt.toISOString(),
    registeredBy: { id: registeredBy },
  };
}

async function presentById(tools: ToolsForRequest, id: string): Promise<PresentedTool | null> {
  const tool = isKey(id) ? await tools.byId(id) : null;
  return tool === null ? null : presentTool(tool);
}

export const Project: Pick<ProjectResolvers<ToolContext>, 'agentTools'> = {
  async agentTools({ id }, args, { tools }) {
    const page = await tools.listFor(id, pageRequest(CURSOR, args, isKey));
    return page === null ? null : presentPage(page);
  },
};

export const AgentTool: Pick<AgentToolResolvers<ToolContext>, '__resolveReference'> = {
  __resolveReference: ({ id }, { tools }) => presentById(tools, id),
};

/** Where a type names a tool by its id, this reads the tool. */
const referred = async (stub: unknown, tools: ToolsForRequest): Promise<PresentedTool | null> => {
  const tool = await stub;
  return typeof tool === 'object' && tool !== null && 'id' in tool && typeof tool.id === 'string' ? presentById(tools, tool.id) : null;
};

export const AgentToolPayload: Pick<AgentToolPayloadResolvers<ToolContext>, 'tool'> = {
  tool: ({ tool }, _args, { tools }) => referred(tool, tools),
};

export const AgentApprovalPayload: Pick<AgentApprovalPayloadResolvers<ToolContext>, 'tool'> = {
  tool: ({ tool }, _args, { tools }) => referred(tool, tools),
};

export const AgentDecision: Pick<AgentDecisionResolvers<ToolContext>, 'tool'> = {
  tool: ({ tool }, _args, { tools }) => referred(tool, tools),
};

export const AgentPolicyExplanation: Pick<AgentPolicyExplanationResolvers<ToolContext>, 'tool'> = {
  tool: ({ tool }, _args, { tools }) => referred(tool, tools),
};

export const AgentEffectiveTool: Pick<AgentEffectiveToolResolvers<ToolContext>, 'tool'> = {
  tool: ({ tool }, _args, { tools }) => referred(tool, tools),
};

export const Query: Pick<QueryResolvers<ToolContext>, 'agentTool' | 'agentTools'> = {
  agentTool: (_root, { id }, { tools }) => presentById(tools, id),
  agentTools: async (_root, args, { tools }) => presentPage(await listTools(tools.deps, tools.viewer(), pageRequest(CURSOR, args, isKey))),
};

const MAX_SCHEMA_CHARACTERS = 256 * 1024;

const jsonSchema = z.custom<JsonObject>(isJsonObject, 'must be a JSON object').superRefine((value, context) => {
  const problem = jsonProblem(value, 'schema', 64);
  if (problem !== null) context.addIssue({ code: 'custom', message: problem.reason });
  else if (JSON.stringify(value).length > MAX_SCHEMA_CHARACTERS)
    context.addIssue({ code: 'custom', message: `must have at most ${MAX_SCHEMA_CHARACTERS} characters of JSON` });
});
const text = (longest: number) =>
  z
    .string()
    .max(longest, `must have at most ${longest} characters`)
    .refine(isPlainText, 'must not hold control characters')
    .refine(isWellFormed, 'must be well-formed Unicode');
const word = text(200).regex(/^[^\s/]+$/, 'must hold no white space and no “/”');
const hint = z
  .boolean()
  .nullish()
  .transform((value) => value ?? null);

/** A server as registries and npm name it, a slash, and a name that the Model Context Protocol allows (2025-11-25, “Tool Names”). */
const CANONICAL_ID = /^@?[A-Za-z0-9][A-Za-z0-9._-]*(\/[A-Za-z0-9][A-Za-z0-9._-]*)*\/[A-Za-z0-9._-]{1,128}$/;

const RegisterInput = z.object({
  id: text(300).regex(
    CANONICAL_ID,
    'must be server/name: a server such as io.github.acme/files or @acme/files, and a tool name of letters, digits, “_”, “-” and “.”',
  ),
  namespaceId: text(300)
    .nullish()
    .transform((value) => value ?? null),
  title: text(255)
    .nullish()
    .transform((value) => value ?? null),
  description: text(100_000)
    .nullish()
    .transform((value) => value ?? null),
  aliases: z
    .array(word)
    .max(20, 'must hold at most 20')
    .nullish()
    .transform((value) => value ?? []),
  inputSchema: jsonSchema,
  outputSchema: jsonSchema.nullish().transform((value) => value ?? null),
  annotations: z
    .object({ readOnlyHint: hint, destructiveHint: hint, idempotentHint: hint, openWorldHint: hint })
    .nullish()
    .transform((value) => value ?? { readOnlyHint: null, destructiveHint: null, idempotentHint: null, openWorldHint: null }),
  actionType: z
    .enum(['READ', 'WRITE', 'DESTROY'])
    .nullish()
    .transform((value) => value ?? null),
  labels: z
    .array(z.string().regex(/^[a-z0-9][a-z0-9._-]{0,49}$/, 'must be lower-case letters, digits, “-”, “_” and “.”, at most 50'))
    .max(20, 'must hold at most 20')
    .nullish()
    .transform((value) => value ?? null),
  actionTypeReason: text(1_000)
    .trim()
    .min(1, 'must not be empty')
    .nullish()
    .transform((value) => value ?? null),
});

export const Mutation: Pick<MutationResolvers<ToolContext>, 'agentToolRegister'> = {
  async agentToolRegister(_root, { input }, { tools }) {
    const viewer = tools.viewer();
    const parsed = RegisterInput.safeParse(input);
    if (!parsed.success) return refused(inputInvalid(inputProblems(parsed.error)));
    return presentOutcome(await registerTool(tools.deps, viewer, parsed.data));
  },
};

const refused = <Refusal>(refusal: Refusal) => ({ tool: null, change: null, errors: [refusal] });

function presentOutcome(outcome: RegisterOutcome) {
  switch (outcome.kind) {
    case 'done':
      return { tool: presentTool(outcome.tool), change: outcome.change, errors: [] };
    case 'invalid':
      return refused(inputInvalid([{ path: outcome.path, message: outcome.message }]));
    case 'notFound':
      return refused(notFound(outcome.field));
  }
}
