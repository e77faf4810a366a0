import { z } from 'zod';
import { ROLE_LEVELS } from '../../directory/index.js';
import { isJsonObject, isPlain, isWellFormed, type JsonObject } from '../../kernel/index.js';
import { isObligation, MAX_APPROVERS } from '../annotations.js';
import { EXECUTION_MODES, SURFACES, type Approval, type ToolFacts } from '../tool-call.js';
import { BESIDES, type CaseCall } from './case.js';

/** The most cases that one policy can have. */
export const MAX_CASES = 500;

// What a document of cases may hold, and what stands for what a case leaves out: a known developer, who is there to ask, reads
// something that is known, outside production. A case says where its call differs from that.
// docs/administrators.md lists the defaults: they are part of what stored cases mean, and never change.

/** Says that something is missing where nothing stands, and otherwise what would be right. */
const wanted = (right: string) => ({
  error: ({ input }: { readonly input?: unknown }): string => (input === undefined ? 'is missing' : right),
});

const name = (longest = 300) =>
  z
    .string(wanted('must be a text'))
    .min(1, 'must not be empty')
    .max(longest, `must have at most ${longest} characters`)
    .refine(isPlain, 'must not hold control characters')
    .refine(isWellFormed, 'must be well-formed Unicode');
const nameOrNull = (longest?: number) => name(longest).nullable().default(null);
const names = z.array(name(), 'must be a list of texts').max(100, 'must hold at most 100');
const flag = (usual: boolean) => z.boolean('must be true or false').default(usual);
const whole = (least: number, most: number) => {
  const right = `must be a whole number from ${least} to ${most}`;
  return z.int(wanted(right)).min(least, right).max(most, right);
};
const oneOf = <const Words extends readonly string[]>(words: Words) => z.enum(words, wanted(`must be one of ${words.join(', ')}`));
const counted = whole(0, Number.MAX_SAFE_INTEGER).default(0);

const ROLE_NAMES = ['GUEST', 'AUDITOR', 'REPORTER', 'DEVELOPER', 'MAINTAINER', 'OWNER'] as const;
const role = oneOf(ROLE_NAMES);
/** Of tools that are registered, by what they do; of one that is not, 4. */
const RISKS = { READ: 1, WRITE: 2, DESTROY: 3 } as const;
const UNKNOWN_RISK = 4;

const approvalMembers = {
  role: role.optional(),
  level: whole(1, ROLE_LEVELS.OWNER).optional(),
  count: whole(1, MAX_APPROVERS).default(1),
};
const approval = z
  .strictObject(approvalMembers, 'must be an object with the role or level of whoever approves, and how many')
  .refine(({ role, level }) => (role === undefined) !== (level === undefined), 'must have either a role or a level')
  .transform(({ role, level = 0, count }): Approval => ({ level: role === undefined ? level : ROLE_LEVELS[role], count }))
  .nullable()
  .default(null);

const agentMembers = {
  id: name().default('agent'),
  known: flag(true),
  classes: names.default([]),
  trust: whole(0, 100).optional(),
  autonomous: z.boolean('must be true or false').optional(),
  owner: nameOrNull(),
};
const userMembers = { id: name().default('user'), role: role.default('DEVELOPER'), teams: names.default([]) };
const projectMembers = {
  id: nameOrNull(),
  groups: z.array(name(), 'must be a list of texts').max(20, 'must hold at most 20').default([]),
  dataClass: whole(0, 3).nullable().default(0),
  frozen: flag(false),
};
const toolMembers = {
  id: name().default('example/tool'),
  server: name().nullable().optional(),
  known: flag(true),
  elsewhere: flag(false),
  actionType: oneOf(['READ', 'WRITE', 'DESTROY']).optional(),
  risk: whole(1, UNKNOWN_RISK).optional(),
  definitionDigest: nameOrNull(),
  labels: names.default([]),
};
const countMembers = { allowed: counted, asked: counted, denied: counted, failed: counted };
const sessionMembers = {
  id: nameOrNull(),
  labels: names.nullable().default(null),
  counts: z.strictObject(countMembers, 'must be an object of counts').nullable().default(null),
};
const part = <Shape extends z.ZodRawShape>(shape: Shape) => z.strictObject(shape, wanted('must be an object'));

const callMembers = {
  agent: part(agentMembers).prefault({}),
  user: part(userMembers).prefault({}),
  project: part(projectMembers).prefault({}),
  tool: part(toolMembers).prefault({}),
  arguments: z.custom<JsonObject>(isJsonObject, 'must be an object').default({}),
  session: part(sessionMembers).prefault({}),
  environment: name(100).default('development'),
  branch: nameOrNull(500),
  branchProtected: flag(false),
  surface: oneOf(SURFACES).default('IDE'),
  executionMode: oneOf(EXECUTION_MODES).default('INTERACTIVE'),
  at: z.iso
    .datetime({ offset: true, error: 'must be an RFC 3339 time with seconds and a zone, for example 2026-01-07T12:00:00Z' })
    .default('2026-01-07T12:00:00Z'),
  timeZone: z
    .string('must be a text')
    .transform((zone, { addIssue }) => zoneNamed(zone) ?? (addIssue('must be a name of the IANA time zone database: Europe/Berlin'), zone))
    .default('UTC'),
  approval,
  promises: z
    .array(
      z.string('must be a text').refine(isObligation, 'must be an obligation such as redact:pii, or a kind of them such as redact'),
      'must be a list of texts',
    )
    .max(50, 'must hold at most 50')
    .default([]),
};
const Call = part(callMembers).transform(({ agent, user, project, tool, session, ...call }): CaseCall => {
  const { environment, branch, branchProtected, surface, executionMode, ...said } = call;
  return {
    agent: agentFacts(agent),
    user: { id: user.id, level: ROLE_LEVELS[user.role], teams: user.teams },
    project: { id: project.id, groups: project.groups, dataClass: project.dataClass, isFrozen: project.frozen },
    tool: toolFacts(tool),
    arguments: said.arguments,
    sessionId: session.id,
    session: { labels: session.labels, counts: session.counts },
    circumstances: { environment, branch, isBranchProtected: branchProtected, surface, executionMode },
    now: new Date(said.at),
    timeZone: said.timeZone,
    approval: said.approval,
    promises: said.promises,
  };
});

/** An agent that the platform has not told of is trusted least, as when a call is decided. */
function agentFacts({ id, known, classes, owner, ...agent }: z.infer<ReturnType<typeof part<typeof agentMembers>>>): CaseCall['agent'] {
  const { trust = known ? 100 : 0, autonomous = !known } = agent;
  return { id, isKnown: known, classes, trust, autonomous, ownerId: owner };
}

/** What is not registered is taken to do anything, as when a call is decided. */
function toolFacts({ known, elsewhere, ...tool }: z.infer<ReturnType<typeof part<typeof toolMembers>>>): ToolFacts {
  const isKnown = known && !elsewhere;
  const actionType = tool.actionType ?? (isKnown ? 'READ' : 'DESTROY');
  const slash = tool.id.lastIndexOf('/');
  const ofId = isKnown && slash > 0 ? tool.id.slice(0, slash) : null;
  return {
    id: tool.id,
    server: tool.server === undefined ? ofId : tool.server,
    isKnown,
    isElsewhere: elsewhere,
    actionType,
    risk: tool.risk ?? (isKnown ? RISKS[actionType] : UNKNOWN_RISK),
    definitionDigest: tool.definitionDigest,
    labels: tool.labels,
  };
}

/** The name as the database spells it: readings of the clock are kept for each spelling. Null when there is no such zone. */
function zoneNamed(zone: string): string | null {
  try {
    return new Intl.DateTimeFormat('en-US', { timeZone: zone }).resolvedOptions().timeZone;
  } catch {
    return null;
  }
}

const expectMembers = {
  verdict: oneOf(['ALLOW', 'ASK', 'DENY']),
  reasons: names.nullable().default(null),
  obligations: names.nullable().default(null),
  approval,
};
const caseMembers = {
  name: name(200),
  call: Call.prefault({}),
  expect: part(expectMembers),
  beside: oneOf(BESIDES).default('IN_FORCE'),
};
const documentMembers = {
  cases: z.array(part(caseMembers), wanted('must be a list of cases')).max(MAX_CASES, `must hold at most ${MAX_CASES} cases`),
};

/** What a document of cases holds. */
export const CasesDocument = part(documentMembers).transform(({ cases }) => cases);

/** The members that each object of a document can have, by where it stands, places in lists left out. */
export const MEMBERS: Readonly<Record<string, readonly string[]>> = {
  '': Object.keys(documentMembers),
  cases: Object.keys(caseMembers),
  'cases.call': Object.keys(callMembers),
  'cases.call.agent': Object.keys(agentMembers),
  'cases.call.user': Object.keys(userMembers),
  'cases.call.project': Object.keys(projectMembers),
  'cases.call.tool': Object.keys(toolMembers),
  'cases.call.session': Object.keys(sessionMembers),
  'cases.call.session.counts': Object.keys(countMembers),
  'cases.call.approval': Object.keys(approvalMembers),
  'cases.expect': Object.keys(expectMembers),
  'cases.expect.approval': Object.keys(approvalMembers),
};
