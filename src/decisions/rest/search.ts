import type { z } from 'zod';
import { Failure, type Page, type Viewer } from '../../kernel/index.js';
import type { Evaluation } from '../../policy/index.js';
import type { EffectiveToolsRequest, ToolAccessRequest } from '../explain/access-facts.js';
import type { AgentAccess, EffectiveTool } from '../explain/effective-access.js';
import type { Asked } from '../gather.js';
import { AskedInput, AskedOfAgentInput, AskedOfToolInput } from '../parse-question.js';
import { NOTHING_FOUND, pageIn, presentPage, searchId, type SearchAnswer } from './search-pages.js';
import { inputOf, otherUser, sentenceOnInput, unknownWord, untoldArguments, type SentCall } from './sent-call.js';
import type { ActionSearchRequest, ResourceSearchRequest, SubjectSearchRequest } from './shapes.js';

/** What searches ask: the same that decisions would say, for the viewer, recorded nowhere. Null where there is no such project for them. */
export interface Searching {
  agents(viewer: Viewer, request: ToolAccessRequest): Promise<Page<AgentAccess> | null>;
  tools(viewer: Viewer, request: EffectiveToolsRequest): Promise<Page<EffectiveTool> | null>;
  answer(viewer: Viewer, asked: Asked): Promise<Evaluation | null>;
}

const ALLOWED = { userId: null, verdicts: ['ALLOW'] } as const;

/** The agents that may use the tool in the project, of those that the viewer is shown. */
export async function searchSubjects(search: Searching, viewer: Viewer, sent: z.infer<typeof SubjectSearchRequest>): Promise<SearchAnswer> {
  // The one subject of type `identity` that could be found is the user who asks.
  if (sent.subject.type !== 'agent' || unknownWord(sent) !== null) return NOTHING_FOUND;
  const asked = read(AskedOfToolInput, sent);
  const id = searchId('subject', viewer, asked);
  const { limit, after } = pageIn(id, sent.page);
  const found = await search.agents(viewer, { ...asked, ...ALLOWED, page: { first: limit + 1, after } });
  if (found === null) return NOTHING_FOUND;
  return presentPage(id, found, limit, { keyOf: ({ agentId }) => agentId, present: ({ agentId }) => ({ type: 'agent', id: agentId }) });
}

/** The registered tools that the agent may use in the project. */
export async function searchResources(
  search: Searching,
  viewer: Viewer,
  sent: z.infer<typeof ResourceSearchRequest>,
): Promise<SearchAnswer> {
  if (isOfNobody(viewer, sent)) return NOTHING_FOUND;
  const asked = read(AskedOfAgentInput, sent);
  const id = searchId('resource', viewer, asked);
  const { limit, after } = pageIn(id, sent.page);
  const found = await search.tools(viewer, { ...asked, ...ALLOWED, page: { first: limit + 1, after } });
  if (found === null) return NOTHING_FOUND;
  // With its project, so that a result can be sent as the resource of an evaluation.
  const present = ({ toolId }: EffectiveTool): object => ({ type: 'tool', id: toolId, properties: { project: asked.projectId } });
  return presentPage(id, found, limit, { keyOf: ({ toolId }) => toolId, present });
}

/** What the agent may do with the tool in the project: there is one action. */
export async function searchActions(search: Searching, viewer: Viewer, sent: z.infer<typeof ActionSearchRequest>): Promise<SearchAnswer> {
  if (isOfNobody(viewer, sent)) return NOTHING_FOUND;
  const asked = read(AskedInput, sent);
  pageIn(searchId('action', viewer, asked), sent.page);
  const evaluation = await search.answer(viewer, asked);
  if (evaluation?.verdict !== 'ALLOW') return NOTHING_FOUND;
  return { results: [{ name: 'invokeTool' }], page: { next_token: '', count: 1 } };
}

/** Whether it is about what there is not: a search finds nothing then, where an evaluation is refused. */
const isOfNobody = (viewer: Viewer, sent: SentCall): boolean => unknownWord(sent) !== null || otherUser(sent, viewer) !== null;

/** @throws Failure BAD_USER_INPUT naming every field at fault. */
function read<Schema extends z.ZodType>(schema: Schema, sent: SentCall): z.output<Schema> {
  const untold = untoldArguments(sent);
  if (untold !== null) throw new Failure('BAD_USER_INPUT', untold);
  const parsed = schema.safeParse(inputOf(sent));
  if (!parsed.success) throw new Failure('BAD_USER_INPUT', sentenceOnInput(parsed.error, sent));
  return parsed.data;
}
