import { randomUUID } from 'node:crypto';
import { authorOf, eventOf, OWN_SOURCE, seal, whoDid, type Append, type Author, type Humans } from '../audit/index.js';
import { maintainedNamespace, type Directory, type Namespace } from '../directory/index.js';
import { canonicalJson, requireScope, type Clock, type JsonObject, type OrganizationId, type Viewer } from '../kernel/index.js';
import type { ToolTransaction } from './ports.js';
import { annotatedActionType, digestOf, partsOf, RISKS, type ActionType, type Annotations, type Tool } from './tool.js';

export interface Registering {
  readonly directory: Directory;
  readonly humans: Humans;
  readonly clock: Clock;
  atomically<Result>(organizationId: OrganizationId, work: (tx: ToolTransaction) => Promise<Result>): Promise<Result>;
  announce(organizationId: OrganizationId): void;
}

export interface Registration {
  readonly id: string;
  /** Null: the organization. */
  readonly namespaceId: string | null;
  readonly title: string | null;
  readonly description: string | null;
  readonly aliases: readonly string[];
  readonly inputSchema: JsonObject;
  readonly outputSchema: JsonObject | null;
  readonly annotations: Annotations;
  /** Null: what the annotations say. */
  readonly actionType: ActionType | null;
  readonly actionTypeReason: string | null;
  /** Null: those that it has. Whoever registers a server’s tools anew need not know how they were labelled. */
  readonly labels: readonly string[] | null;
}

export type RegisterOutcome =
  | { readonly kind: 'done'; readonly tool: Tool; readonly change: 'CREATED' | 'CHANGED' | 'UNCHANGED' }
  | { readonly kind: 'invalid'; readonly path: string; readonly message: string }
  | { readonly kind: 'notFound'; readonly field: string };

/**
 * Registers a tool, or changes a registered one. Registering the same again changes nothing and records nothing.
 *
 * Needs the scope `tool:write` and the role MAINTAINER or OWNER in the namespace or above; to change a tool, in the namespace
 * for which it was registered as well.
 */
export async function registerTool(deps: Registering, viewer: Viewer, given: Registration): Promise<RegisterOutcome> {
  requireScope(viewer, 'tool:write');
  const namespace = await maintainedNamespace(deps.directory, viewer, given.namespaceId ?? viewer.organizationId);
  if (namespace === null) return { kind: 'notFound', field: 'namespaceId' };
  const annotated = annotatedActionType(given.annotations);
  const actionType = given.actionType ?? annotated;
  const isLaxer = RISKS[actionType] < RISKS[annotated];
  if (isLaxer && given.actionTypeReason === null) {
    return {
      kind: 'invalid',
      path: 'actionTypeReason',
      message: `must say why the tool is ${actionType} although its annotations say ${annotated}`,
    };
  }
  const author = await authorOf(deps.humans, viewer);
  const outcome = await deps.atomically(viewer.organizationId, async ({ tools, directory, auditLog, epoch }): Promise<RegisterOutcome> => {
    const before = await tools.lock(viewer.organizationId, given.id);
    if (before !== null && !(await mayTakeFrom(directory, viewer, before.namespaceId))) return { kind: 'notFound', field: 'id' };
    const tool = toolOf(
      deps,
      viewer,
      namespace,
      { ...given, actionType, actionTypeReason: isLaxer ? given.actionTypeReason : null },
      before,
    );
    if (before !== null && isSame(before, tool)) return { kind: 'done', tool: before, change: 'UNCHANGED' };
    await tools.put(viewer.organizationId, tool);
    await auditLog.append(viewer.organizationId, [recordOf(author, namespace, tool, before)]);
    await epoch.raise(viewer.organizationId);
    return { kind: 'done', tool, change: before === null ? 'CREATED' : 'CHANGED' };
  });
  if (outcome.kind === 'done' && outcome.change !== 'UNCHANGED') deps.announce(viewer.organizationId);
  return outcome;
}

/** Whether the viewer maintains the namespace for which a tool is registered. One that is gone holds nobody up. */
async function mayTakeFrom(directory: Directory, viewer: Viewer, namespaceId: string): Promise<boolean> {
  const [namespace] = await directory.namespaces(viewer.organizationId, [namespaceId]);
  return namespace === undefined || (await maintainedNamespace(directory, viewer, namespaceId)) !== null;
}

function toolOf(
  deps: Registering,
  viewer: Viewer,
  namespace: Namespace,
  given: Registration & { readonly actionType: ActionType },
  before: Tool | null,
): Tool {
  const now = deps.clock();
  return {
    ...given,
    aliases: [...new Set(given.aliases)].sort(),
    labels: [...new Set(given.labels ?? before?.labels ?? [])].sort(),
    namespaceId: namespace.id,
    definitionDigest: digestOf({ ...given, name: partsOf(given.id).name }),
    registeredAt: before?.registeredAt ?? now,
    changedAt: now,
    registeredBy: viewer.userId,
  };
}

/** Whether two registrations say the same; when and by whom does not count. */
function isSame(left: Tool, right: Tool): boolean {
  const said = ({ registeredAt: _at, changedAt: _changed, registeredBy: _by, ...rest }: Tool): string => canonicalJson(rest);
  return said(left) === said(right);
}

function recordOf(author: Author, namespace: Namespace, tool: Tool, before: Tool | null): Append {
  const event = eventOf(author.organizationId, tool.changedAt, {
    type: before === null ? 'ai_tool_registered' : 'ai_tool_changed',
    source: OWN_SOURCE,
    sourceId: randomUUID(),
    occurredAt: tool.changedAt.toISOString(),
    namespaceId: namespace.id,
    projectId: namespace.kind === 'PROJECT' ? namespace.id : null,
    ...whoDid(author),
    agentId: null,
    sessionId: null,
    callId: null,
    tool: tool.id,
    verdict: null,
    outcome: null,
    data: {
      toolId: tool.id,
      namespaceId: namespace.id,
      definitionDigest: tool.definitionDigest,
      previousDefinitionDigest: before?.definitionDigest ?? null,
      actionType: tool.actionType,
      actionTypeReason: tool.actionTypeReason,
      labels: tool.labels,
    },
  });
  return { sealed: seal(event), key: null };
}
