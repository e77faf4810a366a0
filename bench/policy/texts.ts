import { theCompany, TOOLS } from '../support/company.js';
import { evenly, pick, skewed, type Random } from '../support/random.js';

/** What everybody may do, so that decisions do not all end at the first policy. */
export const BASE = 'permit (principal, action == Action::"invokeTool", resource);';

const LABELS = ['network', 'exec', 'write', 'delete', 'secrets', 'deploy', 'read', 'review'];
const ENVIRONMENTS = ['production', 'staging', 'dev'];
const SURFACES = ['WEB', 'IDE', 'CLI', 'CI', 'EXTERNAL'];
const PATHS = ['/etc/', '/srv/', 'app/models/', 'spec/', '.gitlab-ci'];

/** A policy of one statement as administrators write them: about a tool, a class of agents or a project, with one to three conditions. */
export function aPolicyText(random: Random): string {
  const isForbid = random() < 0.6;
  const conditions = Array.from({ length: 1 + evenly(random, 3) }, () => aCondition(random)).join(' && ');
  const isAsking = isForbid && random() < 0.4;
  return [
    ...(isAsking ? ['@approval("maintainer")'] : []),
    `${isForbid ? 'forbid' : 'permit'} (${aPrincipal(random)}, action == Action::"invokeTool", ${aResource(random)})`,
    `when { ${conditions} }`,
    ...(isAsking ? ['unless { context has approval && context.approval.level >= 40 }'] : []),
    ';',
  ].join('\n');
}

const aPrincipal = (random: Random): string => (random() < 0.2 ? `principal in AgentClass::"class ${evenly(random, 20)}"` : 'principal');

/** Never the first project, nor all of them: there decisions are as BASE has it, whatever else there is. */
const aResource = (random: Random): string =>
  random() < 0.5
    ? `resource in Tool::"${pick(TOOLS, random, skewed)}"`
    : `resource in Project::"${pick(theCompany.projects.slice(1), random)}"`;

function aCondition(random: Random): string {
  return pick(
    [
      `context.role < ${10 * (1 + evenly(random, 3))}`,
      `resource.risk >= ${2 + evenly(random, 3)}`,
      `context.environment == "${pick(ENVIRONMENTS, random)}"`,
      `context.surface == "${pick(SURFACES, random)}"`,
      `resource.labels.contains("${pick(LABELS, random)}")`,
      `principal.trust < ${10 * evenly(random, 6)}`,
      `resource.hasTag("path") && resource.getTag("path") like "${pick(PATHS, random)}*"`,
      `context.local.hour >= ${18 + evenly(random, 6)}`,
      `context.branchProtected && resource.actionType == "DESTROY"`,
    ],
    random,
  );
}
