import { theCompany, TOOLS } from '../support/company.js';
import { evenly, pick, skewed, type Random } from '../support/random.js';

/** A condition in both languages. */
interface Condition {
  readonly cedar: string;
  readonly cel: string;
}

/** A rule about tools, as Cedar and as Cerbos write it. */
export interface Rule {
  readonly effect: 'permit' | 'forbid';
  readonly cedar: string;
  /** Conditions of the Common Expression Language that must all hold. */
  readonly cel: readonly string[];
}

/** A call that is asked about, and what Cerbos must be told of it; our service knows the agent by itself. */
export interface Question {
  readonly agent: AgentFacts;
  readonly project: string;
  readonly tool: string;
  readonly environment: string;
  readonly surface: string;
  readonly arguments: { readonly path: string; readonly query: string };
}

export interface AgentFacts {
  readonly id: string;
  readonly name: string;
  readonly classes: readonly string[];
  readonly trust: number;
}

const ENVIRONMENTS = ['production', 'staging', 'dev'];
const SURFACES = ['WEB', 'IDE', 'CLI', 'CI'];
const PATHS = ['/etc/', '/srv/', 'app/models/', 'spec/'];

const toolId = (name: string): string => `com.example.platform/${name}`;

/** The company's agents with classes and trust of their own. */
export const theAgents: readonly AgentFacts[] = theCompany.agentsOf.flat().map((id, index) => ({
  id,
  name: `agent ${index}`,
  classes: [`class ${index % 20}`],
  trust: 10 * (index % 10),
}));

/** `count` rules: the first permits everything, so that every answer is decided by the others. */
export function rulesOf(random: Random, count: number): readonly Rule[] {
  const everything: Rule = { effect: 'permit', cedar: 'permit (principal, action == Action::"invokeTool", resource);', cel: [] };
  return [everything, ...Array.from({ length: count - 1 }, () => aRule(random))];
}

function aRule(random: Random): Rule {
  const effect = random() < 0.6 ? 'forbid' : 'permit';
  const ofClass = random() < 0.2 ? `class ${evenly(random, 20)}` : null;
  const tool = random() < 0.5 ? toolId(pick(TOOLS, random, skewed)) : null;
  const project = pick(theCompany.projects, random);
  const conditions = Array.from({ length: 1 + evenly(random, 3) }, () => aCondition(random));
  const principal = ofClass === null ? 'principal' : `principal in AgentClass::"${ofClass}"`;
  const resource = tool === null ? `resource in Project::"${project}"` : `resource in Tool::"${tool}"`;
  return {
    effect,
    cedar: `${effect} (${principal}, action == Action::"invokeTool", ${resource}) when { ${conditions.map(({ cedar }) => cedar).join(' && ')} };`,
    cel: [
      tool === null ? `R.attr.project == "${project}"` : `R.id == "${tool}"`,
      ...(ofClass === null ? [] : [`"${ofClass}" in P.attr.classes`]),
      ...conditions.map(({ cel }) => cel),
    ],
  };
}

function aCondition(random: Random): Condition {
  const environment = pick(ENVIRONMENTS, random);
  const surface = pick(SURFACES, random);
  const trust = 10 * (1 + evenly(random, 6));
  const path = pick(PATHS, random);
  return pick(
    [
      { cedar: `context.environment == "${environment}"`, cel: `R.attr.environment == "${environment}"` },
      { cedar: `context.surface == "${surface}"`, cel: `R.attr.surface == "${surface}"` },
      { cedar: `principal.trust < ${trust}`, cel: `P.attr.trust < ${trust}` },
      {
        cedar: `resource.hasTag("path") && resource.getTag("path") like "${path}*"`,
        cel: `has(R.attr.arguments.path) && R.attr.arguments.path.startsWith("${path}")`,
      },
    ],
    random,
  );
}

export function aQuestion(random: Random): Question {
  return {
    agent: pick(theAgents, random),
    project: pick(theCompany.projects, random),
    tool: toolId(pick(TOOLS, random, skewed)),
    environment: pick(ENVIRONMENTS, random),
    surface: pick(SURFACES, random),
    arguments: { path: `${pick(PATHS, random)}file_${evenly(random, 1_000)}.rb`, query: `what is there ${evenly(random, 1_000)}` },
  };
}

/** The question in the AuthZEN Authorization API, as our service reads it. */
export const forUs = ({ agent, project, tool, environment, surface, arguments: given }: Question): object => ({
  subject: { type: 'agent', id: agent.id },
  action: { name: 'invokeTool', properties: { arguments: given } },
  resource: { type: 'tool', id: tool, properties: { project } },
  context: { environment, surface },
});

/** The same as Cerbos reads it. */
export const forCerbos = ({ agent, project, tool, environment, surface, arguments: given }: Question): object => ({
  subject: { type: 'agent', id: agent.id, properties: { classes: agent.classes, trust: agent.trust } },
  action: { name: 'invokeTool' },
  resource: { type: 'tool', id: tool, properties: { project, environment, surface, arguments: given } },
});
