import type { Json } from '../../src/kernel/index.js';
import { evenly, pick, seededRandom, skewed, type Random } from '../support/random.js';

/** A request in Cedar's JSON form. */
export interface CedarRequest {
  readonly principal: EntityId;
  readonly action: EntityId;
  readonly resource: EntityId;
  readonly context: Readonly<Record<string, Json>>;
  readonly entities: readonly CedarEntity[];
}

interface EntityId {
  readonly type: string;
  readonly id: string;
}

interface CedarEntity {
  readonly uid: EntityId;
  readonly attrs: Readonly<Record<string, Json>>;
  readonly parents: readonly EntityId[];
  readonly tags?: Readonly<Record<string, Json>>;
}

// A platform of some size: 600 projects in 60 subgroups of 20 groups, 500 tools on 20 servers, 100 agents of 10 classes.

const uid = (type: string, id: string | number) => ({ type, id: String(id) });
const numbers = (count: number): readonly number[] => [...Array(count).keys()];

const SUBGROUPS = 60;
const PROJECTS = 600;
const SERVERS = 20;
const TOOLS = 500;
const CLASSES = 10;
const AGENTS = 100;
const LABELS = ['network', 'exec', 'write', 'delete', 'secrets', 'deploy', 'read', 'review'];
const ENVIRONMENTS = ['production', 'staging', 'dev'];
const PATHS = ['/etc/passwd', '/srv/app/main.rb', '/home/agent/.ssh/id', 'docs/index.md', 'src/lib/a.ts'];
const ORGANIZATION = uid('Organization', 'company');

const entity = (of: CedarEntity['uid'], parents: CedarEntity['parents'], attrs: CedarEntity['attrs'] = {}): CedarEntity => ({
  uid: of,
  attrs,
  parents,
});
const reference = (of: CedarEntity['uid']) => ({ __entity: { type: of.type, id: of.id } });

/** Every entity but those that are made for one call, by `TYPE ID`. */
export const entities: ReadonlyMap<string, CedarEntity> = new Map(
  [
    entity(ORGANIZATION, []),
    ...numbers(20).map((group) => entity(uid('Group', group), [ORGANIZATION])),
    ...numbers(SUBGROUPS).map((group) => entity(uid('Group', `sub ${group}`), [uid('Group', group % 20)])),
    ...numbers(PROJECTS).map((project) =>
      entity(uid('Project', project), [uid('Group', `sub ${project % SUBGROUPS}`)], { dataClass: project % 4 }),
    ),
    ...numbers(SERVERS).map((server) => entity(uid('Server', server), [])),
    ...numbers(TOOLS).map((tool) => entity(uid('Tool', tool), [uid('Server', tool % SERVERS)])),
    ...numbers(CLASSES).map((name) => entity(uid('AgentClass', name), [])),
    ...numbers(AGENTS).map((agent) =>
      entity(uid('Agent', agent), [uid('AgentClass', agent % CLASSES)], { trust: (agent * 7) % 100, autonomous: agent % 3 === 0 }),
    ),
  ].map((each) => [keyOf(each.uid), each]),
);

export function keyOf({ type, id }: CedarEntity['uid']): string {
  return `${type} ${id}`;
}

/** One call of a tool. */
export interface Call {
  readonly agent: number;
  readonly project: number;
  readonly tool: number;
  readonly risk: number;
  readonly labels: readonly string[];
  readonly role: number;
  readonly environment: string;
  readonly path: string;
  readonly calls: number;
  readonly dataClass: number;
  readonly taint: readonly string[];
  readonly promises: readonly string[];
  readonly approval: number | null;
}

/** Calls, the same on every run. */
export function someCalls(count: number): readonly Call[] {
  const random = seededRandom(7);
  return Array.from({ length: count }, () => {
    const tool = skewed(random, TOOLS);
    return {
      ...{ agent: skewed(random, AGENTS), project: skewed(random, PROJECTS), tool, risk: tool % 4 },
      labels: LABELS.filter((_, index) => (tool + index) % 4 === 0),
      ...{ role: 10 * (1 + evenly(random, 5)), environment: pick(ENVIRONMENTS, random), path: pick(PATHS, random) },
      ...{ calls: skewed(random, 1_000), dataClass: evenly(random, 4) },
      taint: random() < 0.3 ? ['untrusted_web'] : [],
      promises: random() < 0.5 ? ['redact:pii', 'rate:30/m'] : [],
      approval: random() < 0.2 ? 40 : null,
    };
  });
}

/** A call as Cedar is asked, with the entities that it needs. */
export function requestOf(call: Call): CedarRequest {
  const project = uid('Project', call.project);
  const tool = uid('Tool', call.tool);
  const agent = uid('Agent', call.agent);
  const use = uid('ToolUse', 'this call');
  const found = [agent, project, tool].flatMap((each) => [...lineOf(each)]);
  return {
    principal: agent,
    action: uid('Action', 'invokeTool'),
    resource: use,
    context: contextOf(call),
    entities: [
      ...new Set(found),
      {
        uid: use,
        attrs: { project: reference(project), tool: reference(tool), risk: call.risk, labels: [...call.labels] },
        parents: [project, tool],
        tags: { path: call.path, query: 'a few words' },
      },
    ],
  };
}

function* lineOf(of: CedarEntity['uid']): Generator<CedarEntity> {
  const found = entities.get(keyOf(of));
  if (found === undefined) return;
  yield found;
  for (const parent of found.parents) yield* lineOf(parent);
}

const contextOf = (call: Call): CedarRequest['context'] => ({
  user: reference(uid('User', call.agent % 50)),
  role: call.role,
  env: call.environment,
  branch: 'main',
  branchProtected: call.environment === 'production',
  now: { __extn: { fn: 'datetime', arg: '2026-11-22T09:30:00.000Z' } },
  dataClass: call.dataClass,
  taint: [...call.taint],
  calls: call.calls,
  killSwitch: false,
  promises: [...call.promises],
  session: 'session 7',
  ...(call.approval !== null && { approval: { level: call.approval } }),
});

const BASE: readonly string[] = [
  'permit (principal, action == Action::"invokeTool", resource) when { resource.risk < 2 && context.role >= 20 };',
  'permit (principal, action == Action::"invokeTool", resource) when { context.role >= 30 && resource.risk < 3 };',
  'permit (principal, action == Action::"invokeTool", resource) when { context.role >= 40 };',
  'forbid (principal, action == Action::"invokeTool", resource) when { context.killSwitch };',
  'forbid (principal, action == Action::"invokeTool", resource) when { context.taint.contains("untrusted_web") && resource.labels.contains("network") && context.dataClass >= 2 };',
  'forbid (principal, action == Action::"invokeTool", resource) when { resource.risk >= 3 && context.env == "production" } unless { context has approval && context.approval.level >= 40 };',
  'forbid (principal, action == Action::"invokeTool", resource) when { context.dataClass >= 3 } unless { context.promises.contains("redact:pii") };',
  'forbid (principal, action == Action::"invokeTool", resource) when { context.branchProtected && context.role < 40 && resource.labels.contains("write") };',
  'forbid (principal, action == Action::"invokeTool", resource) when { resource.hasTag("path") && resource.getTag("path") like "/etc/*" };',
  'forbid (principal, action == Action::"invokeTool", resource) when { context.dataClass > resource.project.dataClass } unless { context.role >= 20 };',
];

/** Texts of policies by id: ten for everybody, and then for projects (40 %), groups, tools, servers and classes of agents. */
export function somePolicies(count: number): ReadonlyMap<string, string> {
  const random = seededRandom(11);
  return new Map(Array.from({ length: count }, (_, index) => [`policy ${index}`, BASE[index] ?? aPolicy(random)]));
}

/** A policy like those of `somePolicies`. */
export function aPolicy(random: Random): string {
  const [principal, resource] = aScope(random);
  const conditions = [aCondition(random), ...(random() < 0.5 ? [aCondition(random)] : [])];
  const named = resource.startsWith('resource in Project') && random() < 0.5;
  if (named) conditions.unshift(`resource in Tool::"${skewed(random, TOOLS)}"`);
  const effect = random() < 0.35 ? 'forbid' : 'permit';
  const exception = random() < 0.3 ? ' unless { context has approval && context.approval.level >= 40 }' : '';
  return `${effect} (${principal}, action == Action::"invokeTool", ${resource}) when { ${conditions.join(' && ')} }${exception};`;
}

function aScope(random: Random): readonly [principal: string, resource: string] {
  const dice = random();
  if (dice < 0.05) return [`principal in AgentClass::"${evenly(random, CLASSES)}"`, 'resource'];
  if (dice < 0.45) return ['principal', `resource in Project::"${evenly(random, PROJECTS)}"`];
  if (dice < 0.65) return ['principal', `resource in Tool::"${evenly(random, TOOLS)}"`];
  if (dice < 0.75) return ['principal', `resource in Server::"${evenly(random, SERVERS)}"`];
  return ['principal', `resource in Group::"${random() < 0.3 ? evenly(random, 20) : `sub ${evenly(random, SUBGROUPS)}`}"`];
}

function aCondition(random: Random): string {
  return pick(
    [
      `context.role >= ${10 * (1 + evenly(random, 5))}`,
      `resource.risk >= ${evenly(random, 4)}`,
      `context.env == "${pick(ENVIRONMENTS, random)}"`,
      `resource.labels.contains("${pick(LABELS, random)}")`,
      `context.calls < ${100 * (1 + evenly(random, 10))}`,
      `principal.trust >= ${10 * evenly(random, 10)}`,
      `resource.hasTag("path") && resource.getTag("path") like "${pick(PATHS, random).slice(0, 4)}*"`,
      `context.now.toTime() >= duration("${evenly(random, 24)}h")`,
      `["${pick(LABELS, random)}", "${pick(LABELS, random)}"].containsAny(resource.labels)`,
      `context.calls < ${evenly(random, 100_000)}`,
    ],
    random,
  );
}
