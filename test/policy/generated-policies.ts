import type { Random } from '../support/random.js';

/** A policy of one statement such as administrators write them, which is acceptable. */
export function aPolicyText(random: Random, id: string): string {
  const isForbid = random.below(100) < 55;
  const conditions = Array.from({ length: 1 + random.below(3) }, () => aCondition(random)).join(random.pick([' && ', ' || ']));
  const gives = isForbid ? random.pick<(random: Random) => Giving>([nothing, nothing, anApproval, aPromise, both])(random) : nothing();
  return [
    `@id("${id}")`,
    ...gives.annotations,
    `${isForbid ? 'forbid' : 'permit'} (${aPrincipal(random)}, ${random.pick(['action', 'action == Action::"invokeTool"'])}, ${aResource(random)})`,
    `when { ${conditions} }`,
    ...gives.clauses,
    ';',
  ].join('\n');
}

interface Giving {
  readonly annotations: readonly string[];
  readonly clauses: readonly string[];
}

const nothing = (): Giving => ({ annotations: [], clauses: [] });

function anApproval(random: Random): Giving {
  const [role, level] = random.pick([
    ['developer', 30],
    ['maintainer', 40],
    ['owner', 50],
  ] as const);
  const count = 1 + random.below(3);
  const more = count > 1 ? ` && context.approval.count >= ${count}` : '';
  return {
    annotations: [`@approval("${role}${count > 1 ? `:${count}` : ''}")`],
    clauses: [`unless { context has approval && context.approval.level >= ${level}${more} }`],
  };
}

function aPromise(random: Random): Giving {
  const name = random.pick(['redact:pii', 'rate:30/m', 'rate:5/s', 'log:full', 'confirm']);
  return { annotations: [`@oblige("${name}")`], clauses: [`unless { context.promises.contains("${name}") }`] };
}

function both(random: Random): Giving {
  const [approval, promise] = [anApproval(random), aPromise(random)];
  const inner = ({ clauses }: Giving): string => /\{ (.*) \}/.exec(clauses[0] ?? '')?.[1] ?? '';
  return {
    annotations: [...approval.annotations, ...promise.annotations],
    clauses: [`unless { ${inner(approval)} && ${inner(promise)} }`],
  };
}

const aPrincipal = (random: Random): string =>
  random.pick([
    'principal',
    'principal',
    `principal == Agent::"agent ${random.below(20)}"`,
    `principal in AgentClass::"${random.pick(['coding', 'ops', 'review'])}"`,
  ]);

const aResource = (random: Random): string =>
  random.pick([
    'resource',
    'resource',
    `resource in Project::"project ${random.below(50)}"`,
    `resource in Group::"group ${random.below(20)}"`,
    `resource in Tool::"com.example.${random.below(9)}/tool"`,
    `resource in Server::"com.example.${random.below(9)}"`,
    `resource in ToolLabel::"${random.pick(['network', 'exec', 'secrets'])}"`,
  ]);

const aCondition = (random: Random): string =>
  random.pick([
    `principal.trust ${random.pick(['<', '>='])} ${random.below(100)}`,
    'principal.autonomous',
    '!principal.known',
    '(principal has owner && principal.owner == context.user)',
    `context.role >= ${random.pick([20, 30, 40, 50])}`,
    `context.user in Team::"team ${random.below(9)}"`,
    `context.environment == "${random.pick(['production', 'staging', 'dev'])}"`,
    `(context has branch && context.branch like "release/${random.below(9)}*")`,
    'context.branchProtected',
    `context.surface == "${random.pick(['WEB', 'IDE', 'CLI', 'CI', 'EXTERNAL'])}"`,
    'context.executionMode == "BACKGROUND"',
    `context.local.hour >= ${random.below(24)}`,
    'context.local.weekday > 5',
    `(context has sessionLabels && context.sessionLabels.contains("label ${random.below(5)}"))`,
    `(context has sessionCounts && context.sessionCounts.denied > ${random.below(50)})`,
    `resource.risk >= ${1 + random.below(4)}`,
    `resource.actionType == "${random.pick(['READ', 'WRITE', 'DESTROY'])}"`,
    `resource.labels.containsAny(["${random.pick(['network', 'exec'])}", "secrets"])`,
    `resource.project.dataClass >= ${random.below(4)}`,
    'resource.project.frozen',
    `(resource.hasTag("path") && resource.getTag("path") like "/etc/${random.below(99)}*")`,
    `(resource.numbers.hasTag("amount") && resource.numbers.getTag("amount") > ${random.below(10_000)})`,
    '(resource.flags.hasTag("force") && resource.flags.getTag("force"))',
    `(resource.lists.hasTag("to") && resource.lists.getTag("to").contains("${random.below(99)}@acme.example"))`,
    '["path", "mode"].containsAll(resource.argumentNames)',
  ]);
