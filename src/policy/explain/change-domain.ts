import { DATA_CLASSES, ROLE_LEVELS } from '../../directory/index.js';
import type { Json } from '../../kernel/index.js';
import { MAX_APPROVERS } from '../annotations.js';
import { UNKNOWN_DATA_CLASS } from '../cedar-request.js';
import { promisedIn, type PolicySet } from '../evaluate.js';
import { EXECUTION_MODES, SURFACES, type Circumstances, type ToolCall, type ToolFacts } from '../tool-call.js';
import { idsNamed, textsComparedWith } from './mentions.js';
import { readsOf } from './reads.js';
import { approvalWords, roleOf } from './words.js';

/** What could be otherwise, the least intrusive first. */
export const CHANGE_KINDS = [
  'APPROVAL',
  'PROMISE',
  'EXECUTION_MODE',
  'SURFACE',
  'ENVIRONMENT',
  'BRANCH',
  'BRANCH_PROTECTION',
  'SESSION',
  'TIME',
  'USER_ROLE',
  'USER_TEAM',
  'AGENT_KNOWN',
  'AGENT_AUTONOMY',
  'AGENT_TRUST',
  'AGENT_CLASS',
  'TOOL_REGISTRATION',
  'TOOL_ACTION_TYPE',
  'TOOL_LABEL',
  'PROJECT_DATA_CLASS',
  'PROJECT_FROZEN',
  'STATEMENT_REMOVAL',
  'POLICY_RETIREMENT',
] as const;
export type ChangeKind = (typeof CHANGE_KINDS)[number];

/** One thing of a call that could be otherwise. */
export interface CallChange {
  readonly kind: ChangeKind;
  /** What it is; null for nothing. */
  readonly from: string | null;
  /** What it would be; null for nothing. */
  readonly to: string | null;
  /** For a person: "If …". */
  readonly message: string;
  /** The call as it would be. */
  readonly call: ToolCall;
}

/** Changes of one thing, from the smallest to the largest: once one turns the verdict, larger ones count only when they turn it further. */
export type Ladder = readonly CallChange[];

/** How far ahead times are tried. */
const MAX_HOURS = 7 * 24;

/**
 * The single changes of a call that are tried. Pure.
 *
 * @param inScope the statements, in Cedar's JSON form, whose scope takes the call
 */
export const callChanges = (set: PolicySet, inScope: readonly Json[], call: ToolCall): readonly Ladder[] => [
  approvals(call),
  ...promises(set, call),
  ...circumstances(inScope, call),
  ...ofUser(set, call),
  ...ofAgent(set, inScope, call),
  ...ofTool(set, call),
  ...ofProject(call),
];

function approvals(call: ToolCall): Ladder {
  const levels = [ROLE_LEVELS.REPORTER, ROLE_LEVELS.DEVELOPER, ROLE_LEVELS.MAINTAINER, ROLE_LEVELS.OWNER];
  const counts = Array.from({ length: MAX_APPROVERS }, (_, index) => index + 1);
  const text = ({ level, count }: { readonly level: number; readonly count: number }): string =>
    `${String(roleOf(level)).toLowerCase()}${count === 1 ? '' : `:${count}`}`;
  return levels.flatMap((level) =>
    counts.map((count): CallChange => {
      const approval = { level, count };
      const message = `If the call had ${approvalWords(approval)}.`;
      return {
        kind: 'APPROVAL',
        from: call.approval === null ? null : text(call.approval),
        to: text(approval),
        message,
        call: { ...call, approval },
      };
    }),
  );
}

/** Each obligation that is not promised yet and, where there are several, all of them at once. */
function promises(set: PolicySet, call: ToolCall): readonly Ladder[] {
  const promised = promisedIn(set, call);
  const missing = set.obligations.filter((obligation) => !promised.includes(obligation)).sort();
  const change = (obligations: readonly string[]): CallChange => ({
    ...{ kind: 'PROMISE', from: null, to: obligations.join(', ') },
    message: `If the service that asks promised ${obligations.join(', ')}.`,
    call: { ...call, promises: [...call.promises, ...obligations] },
  });
  return [...missing.map((obligation) => [change([obligation])]), ...(missing.length > 1 ? [[change(missing)]] : [])];
}

function circumstances(inScope: readonly Json[], call: ToolCall): readonly Ladder[] {
  const said = call.circumstances;
  const alone = (kind: ChangeKind, from: string | null, to: string | null, message: string, changed: Partial<Circumstances>): Ladder => [
    { kind, from, to, message, call: { ...call, circumstances: { ...said, ...changed } } },
  ];
  const environments = new Set([...textsComparedWith(inScope, 'context.environment'), 'production', 'staging', 'none']);
  const branches = [null, ...textsComparedWith(inScope, 'context.branch')];
  return [
    ...EXECUTION_MODES.filter((mode) => mode !== said.executionMode).map((mode) =>
      alone('EXECUTION_MODE', said.executionMode, mode, MODE_WORDS[mode], { executionMode: mode }),
    ),
    ...SURFACES.filter((surface) => surface !== said.surface).map((surface) =>
      alone('SURFACE', said.surface, surface, `If the call came from the surface ${surface}.`, { surface }),
    ),
    ...[...environments]
      .filter((environment) => environment !== said.environment)
      .map((environment) => alone('ENVIRONMENT', said.environment, environment, `If the call acted on “${environment}”.`, { environment })),
    ...branches
      .filter((branch) => branch !== said.branch)
      .map((branch) =>
        alone(
          'BRANCH',
          said.branch,
          branch,
          branch === null ? 'If the call named no branch.' : `If the call acted on the branch “${branch}”.`,
          { branch },
        ),
      ),
    alone(
      ...(['BRANCH_PROTECTION', PROTECTION[`${said.isBranchProtected}`], PROTECTION[`${!said.isBranchProtected}`]] as const),
      `If the branch were ${said.isBranchProtected ? 'not protected' : 'protected'}.`,
      { isBranchProtected: !said.isBranchProtected },
    ),
    ...(call.sessionId === null ? [[sessionNamed(call)]] : []),
    ...(isRead(inScope, 'context.now') || isRead(inScope, 'context.local') ? [hoursAhead(call)] : []),
  ];
}

const MODE_WORDS = {
  INTERACTIVE: 'If a human were there to ask (INTERACTIVE).',
  BACKGROUND: 'If the call were made in the background, where nobody is there to ask (BACKGROUND).',
} as const;
const PROTECTION = { true: 'protected', false: 'unprotected' } as const;

const sessionNamed = (call: ToolCall): CallChange => ({
  ...{ kind: 'SESSION', from: null, to: 'any', message: 'If the call named the run that it belongs to.' },
  call: { ...call, sessionId: 'any' },
});

/** Full hours (UTC) from the next one on. */
function hoursAhead(call: ToolCall): Ladder {
  const hour = 3_600_000;
  const next = (Math.floor(call.now.getTime() / hour) + 1) * hour;
  return Array.from({ length: MAX_HOURS }, (_, index): CallChange => {
    const now = new Date(next + index * hour);
    const to = now.toISOString();
    return { kind: 'TIME', from: call.now.toISOString(), to, message: `If the call were made at ${to}.`, call: { ...call, now } };
  });
}

/** Whether a statement reads the attribute, or one of its members. */
const isRead = (statements: readonly Json[], path: string): boolean =>
  statements.some((est) => readsOf(est).some(({ text }) => text === path || text.startsWith(`${path}.`)));

function ofUser(set: PolicySet, call: ToolCall): readonly Ladder[] {
  const { user } = call;
  const roles = (['GUEST', 'REPORTER', 'DEVELOPER', 'MAINTAINER', 'OWNER'] as const).filter((role) => ROLE_LEVELS[role] > user.level);
  const role = roles.map((to): CallChange => ({
    ...{ kind: 'USER_ROLE', from: roleOf(user.level), to, message: `If the user had the role ${to} in the project or above.` },
    call: { ...call, user: { ...user, level: ROLE_LEVELS[to] } },
  }));
  const teams = memberships(
    'USER_TEAM',
    user.teams,
    idsNamed(estsIn(set), 'Team'),
    (team, isIn) => `If the user were ${isIn ? '' : 'not '}in the team “${team}”.`,
    (now) => ({
      ...call,
      user: { ...user, teams: now },
    }),
  );
  return [role, ...teams];
}

const estsIn = ({ policies }: PolicySet): readonly Json[] => policies.flatMap(({ statements }) => statements.map(({ est }) => est));

/** Each that could be added, and each that could be taken away. */
function memberships(
  kind: ChangeKind,
  has: readonly string[],
  named: readonly string[],
  words: (name: string, isIn: boolean) => string,
  callWith: (names: readonly string[]) => ToolCall,
): readonly Ladder[] {
  const added = named
    .filter((name) => !has.includes(name))
    .map((name): Ladder => [{ kind, from: null, to: name, message: words(name, true), call: callWith([...has, name]) }]);
  const removed = has
    .filter((name) => named.includes(name))
    .map((name): Ladder => [
      { kind, from: name, to: null, message: words(name, false), call: callWith(has.filter((other) => other !== name)) },
    ]);
  return [...added, ...removed];
}

function ofAgent(set: PolicySet, inScope: readonly Json[], call: ToolCall): readonly Ladder[] {
  const { agent } = call;
  const withAgent = (changed: Partial<ToolCall['agent']>): ToolCall => ({ ...call, agent: { ...agent, ...changed } });
  const known: CallChange = {
    ...{ kind: 'AGENT_KNOWN', from: 'unknown', to: 'known', message: 'If the platform had told the directory of the agent.' },
    call: withAgent({ isKnown: true }),
  };
  const watched: CallChange = {
    ...{ kind: 'AGENT_AUTONOMY', from: 'autonomous', to: 'watched', message: 'If the agent did not act without a human watching.' },
    call: withAgent({ autonomous: false }),
  };
  const trusts = isRead(inScope, 'principal.trust')
    ? Array.from({ length: Math.max(0, 100 - agent.trust) }, (_, more) => agent.trust + more + 1)
    : [];
  const trust = trusts.map((to): CallChange => ({
    ...{ kind: 'AGENT_TRUST', from: String(agent.trust), to: String(to), message: `If the agent were trusted with ${to} of 100.` },
    call: withAgent({ trust: to }),
  }));
  const classes = memberships(
    'AGENT_CLASS',
    agent.classes,
    idsNamed(estsIn(set), 'AgentClass'),
    (name, isIn) => `If the agent were ${isIn ? '' : 'not '}of the class “${name}”.`,
    (now) => withAgent({ classes: now }),
  );
  return [...(agent.isKnown ? [] : [[known]]), ...(agent.autonomous ? [[watched]] : []), trust, ...classes];
}

function ofTool(set: PolicySet, call: ToolCall): readonly Ladder[] {
  const { tool } = call;
  const withTool = (changed: Partial<ToolFacts>): ToolCall => ({ ...call, tool: { ...tool, ...changed } });
  const actionTypes = (['DESTROY', 'WRITE', 'READ'] as const).filter((type) => !tool.isKnown || ACTION_RISKS[type] < tool.risk);
  const types = actionTypes.map((to): CallChange => {
    const facts = { actionType: to, risk: ACTION_RISKS[to], isKnown: true, isElsewhere: false };
    if (tool.isKnown)
      return {
        kind: 'TOOL_ACTION_TYPE',
        from: tool.actionType,
        to,
        message: `If the tool were one that ${DOES[to]} (${to}).`,
        call: withTool(facts),
      };
    return {
      kind: 'TOOL_REGISTRATION',
      from: null,
      to,
      message: `If the tool were registered for the project, as one that ${DOES[to]} (${to}).`,
      call: withTool(facts),
    };
  });
  const named = [...new Set([...idsNamed(estsIn(set), 'ToolLabel'), ...textsComparedWith(estsIn(set), 'resource.labels')])].sort();
  const labels = memberships(
    'TOOL_LABEL',
    tool.labels,
    named,
    (label, isIn) => `If the tool ${isIn ? 'had' : 'did not have'} the label “${label}”.`,
    (now) => withTool({ labels: now }),
  );
  return [types, ...labels];
}

const ACTION_RISKS = { READ: 1, WRITE: 2, DESTROY: 3 } as const;
const DOES = { READ: 'only reads', WRITE: 'writes, and what it does can be undone', DESTROY: 'may destroy' } as const;

function ofProject(call: ToolCall): readonly Ladder[] {
  const { projectLine } = call;
  const said = projectLine.flatMap(({ dataClass }) => dataClass ?? []);
  const effective = said.length === 0 ? UNKNOWN_DATA_CLASS : Math.max(...said);
  const classes = Array.from({ length: effective }, (_, less) => effective - less - 1).map((to): CallChange => ({
    ...{ kind: 'PROJECT_DATA_CLASS', from: said.length === 0 ? null : className(effective), to: className(to) },
    message: `If nothing in the project or above it were classified higher than ${className(to)}.`,
    call: { ...call, projectLine: projectLine.map((one) => ({ ...one, dataClass: Math.min(one.dataClass ?? to, to) })) },
  }));
  const thawed: CallChange = {
    ...{ kind: 'PROJECT_FROZEN', from: 'frozen', to: 'not frozen', message: 'If neither the project nor anything above it were frozen.' },
    call: { ...call, projectLine: projectLine.map((one) => ({ ...one, isFrozen: false })) },
  };
  return [classes, ...(projectLine.some(({ isFrozen }) => isFrozen) ? [[thawed]] : [])];
}

const className = (dataClass: number): string => DATA_CLASSES[dataClass] ?? String(dataClass);
