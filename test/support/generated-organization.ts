import { randomUUID } from 'node:crypto';
import { aResource, authzen, type Evaluated } from './authzen.js';
import { aPublishedPolicy, registerTool } from './governing.js';
import { anOrganization, pushed, type TestOrganization } from './organization.js';
import { aRandom } from './random.js';
import type { Client, TestSubgraph } from './subgraph.js';

/** Statements that read everything which a search can be told. */
const POLICY = `permit (principal, action, resource) when { context.role >= 30 && resource.risk * 25 <= principal.trust };
permit (principal in AgentClass::"ops", action, resource in ToolLabel::"exec");
@oblige("log:full") forbid (principal in AgentClass::"ops", action, resource) unless { context.promises.contains("log:full") };
permit (principal, action, resource) when { context has session && context.session like "trusted*" };
@oblige("redact:pii") forbid (principal, action, resource in ToolLabel::"data") unless { context.promises.contains("redact:pii") };
@approval("maintainer") forbid (principal, action, resource) when { resource.risk >= 3 && context.environment == "production" }
unless { context has approval && context.approval.level >= 40 };
forbid (principal, action, resource in ToolLabel::"exec") when { resource.hasTag("path") && resource.getTag("path") like "/etc/*" };
forbid (principal in AgentClass::"tests", action, resource in Server::"io.example/two");`;

const random = aRandom(20261201);
/** In the order of their ids. */
export const agents = Array.from({ length: 9 }, (_, index) => `agent-${index}`);
/** In the order of their ids. Some are registered for the group of the project `api` alone. */
export const tools = Array.from({ length: 9 }, (_, index) => `io.example/${random.pick(['one', 'two'])}/tool-${index}`).sort();
export const ofCore = new Set(tools.filter(() => random.below(3) === 0));

/** An organization of which it is not plain to see who may do what. */
export interface GeneratedOrganization {
  readonly company: TestOrganization;
  readonly owner: Client;
  /** Responsible for every third agent. */
  readonly developer: Client;
}

/** Whether the developer is responsible for the agent at this place. */
export const isOwn = (_agent: string, index: number): boolean => index % 3 === 0;

/** Agents, tools and policies chosen at random, the same on every run. */
export async function aGeneratedOrganization(subgraph: TestSubgraph): Promise<GeneratedOrganization> {
  const company = await anOrganization(subgraph);
  const ada = `${company.id}/ada`;
  const owner = await company.member('OWNER', company.id);
  const developer = await company.member('DEVELOPER', company.payments, { userId: ada });
  const generated = agents.map((id, index) => ({
    ...{ id, classes: [random.pick(['ops', 'tests', 'coding'])], trust: random.below(101), autonomous: random.below(2) === 0 },
    ownerId: isOwn(id, index) ? ada : null,
  }));
  await pushed(company.platform, { agents: [{ id: company.coder, deleted: true }, ...generated] });
  const registering = tools.map((id) => ({
    ...{ id, actionType: random.pick(['READ', 'WRITE', 'DESTROY']), actionTypeReason: 'so' },
    ...{ labels: [random.pick(['data', 'exec', 'net'])], namespaceId: ofCore.has(id) ? company.core : company.id },
  }));
  await Promise.all(registering.map((tool) => registerTool(owner, tool)));
  await aPublishedPolicy(owner, company.id, POLICY, 'everything');
  return { company, owner, developer };
}

/** The pairs of an agent and a tool that evaluations allow. */
export async function pairsAllowed(
  client: Client,
  project: string,
  more: { readonly action: object; readonly context?: Readonly<Record<string, unknown>> },
): Promise<ReadonlySet<string>> {
  const answers = await Promise.all(
    agents.map((id) =>
      authzen<{ readonly evaluations: readonly Evaluated[] }>(client, 'evaluations', {
        ...{ ...more, subject: { type: 'agent', id }, context: inSessionOfItsOwn(more.context) },
        evaluations: tools.map((tool) => ({ resource: aResource(tool, project) })),
      }),
    ),
  );
  const allowed = agents.flatMap((agent, place) =>
    tools.filter((_, index) => answers[place]?.body.evaluations[index]?.decision === true).map((tool) => `${agent} ${tool}`),
  );
  if (allowed.length === 0 || allowed.length === agents.length * tools.length) throw new Error('There is nothing to compare.');
  return new Set(allowed);
}

/** A session belongs to the user and the agent that were first decided about in it; policies take one that is trusted for any other. */
export const inSessionOfItsOwn = (context: Readonly<Record<string, unknown>> = {}): object =>
  context['session'] === undefined ? context : { ...context, session: `${String(context['session'])} ${randomUUID()}` };
