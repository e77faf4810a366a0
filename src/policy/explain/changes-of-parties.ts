import { DATA_CLASSES, ROLE_LEVELS } from '../../directory/index.js';
import type { Json } from '../../kernel/index.js';
import { UNKNOWN_DATA_CLASS } from '../cedar-request.js';
import type { PolicySet } from '../evaluate.js';
import type { ToolCall, ToolFacts } from '../tool-call.js';
import type { CallChange, ChangeKind, Ladder } from './change.js';
import { idsNamed, textsComparedWith } from './mentions.js';
import { isRead } from './reads.js';
import { roleOf } from './words.js';

/** Higher roles, and teams that policies name. */
export function ofUser(set: PolicySet, call: ToolCall): readonly Ladder[] {
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

/** What the directory says of the agent, and classes that policies name. */
export function ofAgent(set: PolicySet, inScope: readonly Json[], call: ToolCall): readonly Ladder[] {
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

/** What the registry says of the tool, and labels that policies name. */
export function ofTool(set: PolicySet, call: ToolCall): readonly Ladder[] {
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

/** What the platform says of the project and what lies above it. */
export function ofProject(call: ToolCall): readonly Ladder[] {
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
