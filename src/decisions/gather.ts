import type { Agent, Namespace } from '../directory/index.js';
import { userId, type UserId } from '../kernel/index.js';
import { STRICTEST_CIRCUMSTANCES, type Circumstances, type OnBehalf, type ToolCall, type ToolFacts } from '../policy/index.js';
import { partsOf, RISKS, UNKNOWN_RISK, type NamedTool, type Tool } from '../tools/index.js';
import type { Question } from './question.js';
import type { Facts } from './snapshot.js';

/** What is asked of a call: a question, without what tells one asking from another. */
export type Asked = Omit<Question, 'requestId' | 'callId'>;

export interface Gathered extends CallFacts {
  readonly facts: Facts;
  readonly project: Namespace;
}

/** What is known of a call beside what is asked. */
export interface CallFacts {
  readonly line: readonly Namespace[];
  /** No higher than that of a human behind the user; 0 when one of them is no member. */
  readonly level: number;
  /** Null unless the user is a service account behind which a human is known. */
  readonly onBehalf: OnBehalf | null;
  readonly teams: readonly string[];
  readonly agent: Agent | null;
  readonly named: NamedTool;
}

/**
 * What the question is about; null when the project does not exist for the user on whose behalf it is asked.
 *
 * @param humanIds the humans behind the user, where that is a service account
 */
export async function gather(facts: Facts, user: UserId, question: Asked, humanIds: readonly string[]): Promise<Gathered | null> {
  // As much side by side as can be: after a change all of it is read anew, and whoever asks first waits for that.
  const [project, agent, told] = await Promise.all([
    facts.project(question.projectId),
    facts.agent(question.agentId),
    facts.user(user),
    facts.standing(user),
  ]);
  if (project === null) return null;
  const ownLevel = await facts.level(user, project);
  if (ownLevel === 0) return null;
  const onBehalf = humanIds.length === 0 ? null : await levelsBehind(facts, project, ownLevel, humanIds);
  const [named, line] = await Promise.all([facts.tool(project, question.tool), facts.line(project)]);
  return { facts, project, line, level: levelOf(ownLevel, onBehalf), onBehalf, teams: told?.teams ?? [], agent, named };
}

/** The levels to be compared of a service account and the humans behind it. */
export async function levelsBehind(facts: Facts, project: Namespace, ownLevel: number, humanIds: readonly string[]): Promise<OnBehalf> {
  const humans = await Promise.all(humanIds.map(async (id) => ({ id, level: await facts.level(userId(id), project) })));
  return { ownLevel, humans };
}

/** A service account may do what it may and the humans behind it may, too. */
export const levelOf = (ownLevel: number, onBehalf: OnBehalf | null): number =>
  onBehalf === null ? ownLevel : Math.min(ownLevel, ...onBehalf.humans.map(({ level }) => level));

/** The call that is asked about, as policies see it. */
export function callOf(user: UserId, question: Asked, { line, level, onBehalf, teams, agent, named }: CallFacts, now: Date): ToolCall {
  return {
    // An agent that the platform has not told us of is trusted least.
    agent: {
      id: question.agentId,
      isKnown: agent !== null,
      classes: agent?.classes ?? [],
      trust: agent?.trust ?? 0,
      autonomous: agent?.autonomous ?? true,
      ownerId: agent?.ownerId ?? null,
    },
    user: { id: user, level, teams, onBehalf },
    projectLine: line.map(({ id, kind, dataClass, isFrozen }) => ({ id, kind, dataClass, isFrozen })),
    tool: named.tool === null ? unknownTool(question.tool, named.isElsewhere) : knownTool(named.tool),
    arguments: question.arguments,
    sessionId: question.sessionId,
    session: { labels: null, counts: null },
    circumstances: circumstancesOf(question),
    now,
    timeZone: line[0]?.timeZone ?? 'UTC',
    approval: null,
    promises: question.promises,
  };
}

/** What the caller says of where and how, and of what it leaves out the strictest reading. */
export function circumstancesOf({ circumstances: said }: Pick<Question, 'circumstances'>): Circumstances {
  return {
    environment: said.environment ?? STRICTEST_CIRCUMSTANCES.environment,
    branch: said.branch ?? STRICTEST_CIRCUMSTANCES.branch,
    isBranchProtected: said.isBranchProtected ?? STRICTEST_CIRCUMSTANCES.isBranchProtected,
    surface: said.surface ?? STRICTEST_CIRCUMSTANCES.surface,
    executionMode: said.executionMode ?? STRICTEST_CIRCUMSTANCES.executionMode,
  };
}

/** What is not registered may do anything. */
const unknownTool = (name: string, isElsewhere: boolean): ToolFacts => ({
  id: name,
  server: null,
  isKnown: false,
  isElsewhere,
  actionType: 'DESTROY',
  risk: UNKNOWN_RISK,
  definitionDigest: null,
  labels: [],
});

const knownTool = ({ id, actionType, definitionDigest, labels }: Tool): ToolFacts => ({
  id,
  server: partsOf(id).server,
  isKnown: true,
  isElsewhere: false,
  actionType,
  risk: RISKS[actionType],
  definitionDigest,
  labels,
});
