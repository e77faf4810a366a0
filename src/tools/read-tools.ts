import { memberNamespaces, readableNamespaces, type Directory } from '../directory/index.js';
import { pageOf, type OrganizationId, type Page, type PageRequest, type Viewer } from '../kernel/index.js';
import type { ToolReader } from './ports.js';
import type { Tool } from './tool.js';

export interface ToolReading {
  readonly directory: Directory;
  readonly tools: ToolReader;
}

/** A page of the tools registered for a namespace that the viewer may see, by id. */
export async function listTools(deps: ToolReading, viewer: Viewer, page: PageRequest): Promise<Page<Tool>> {
  return pageOf(await deps.tools.list(viewer.organizationId, await memberNamespaces(deps.directory, viewer), page), page);
}

/** The tools that each of many projects can use; null for a project that does not exist for the viewer. */
export async function listToolsFor(
  deps: ToolReading,
  viewer: Viewer,
  projectIds: readonly string[],
  page: PageRequest,
): Promise<readonly (Page<Tool> | null)[]> {
  const lists = await deps.tools.listFor(viewer.organizationId, await memberNamespaces(deps.directory, viewer), projectIds, page);
  return lists.map((rows) => (rows === null ? null : pageOf(rows, page)));
}

/** The tools with these ids, in their order; null for one that does not exist for the viewer. */
export async function toolsById(deps: ToolReading, viewer: Viewer, ids: readonly string[]): Promise<readonly (Tool | null)[]> {
  const found = await deps.tools.byIds(viewer.organizationId, ids);
  const readable = await readableNamespaces(
    deps.directory,
    viewer,
    found.map((tool) => tool.namespaceId),
  );
  const byId = new Map(found.filter((tool) => readable.has(tool.namespaceId)).map((tool) => [tool.id, tool]));
  return ids.map((id) => byId.get(id) ?? null);
}

/** What a name means in a project. */
export interface NamedTool {
  /** Null when there is none, or more than one. */
  readonly tool: Tool | null;
  /** Whether the name is the canonical id of a tool that is registered, but not for this project. */
  readonly isElsewhere: boolean;
}

/**
 * The one tool that `name` means in a project whose line of namespaces is `ancestors`: by canonical id, else by alias or by its
 * name on its server. Not one of several: two servers that offer the same name never share a rule.
 */
export async function toolNamed(
  tools: ToolReader,
  organizationId: OrganizationId,
  ancestors: readonly string[],
  name: string,
): Promise<NamedTool> {
  return namedAmong(await tools.byAnyName(organizationId, name), ancestors, name);
}

/** What `name` means in a project whose line of namespaces is `ancestors`, of the tools that go by the name anywhere. Pure. */
export function namedAmong(named: readonly Tool[], ancestors: readonly string[], name: string): NamedTool {
  const usable = named.filter((tool) => ancestors.includes(tool.namespaceId));
  const exact = usable.find((tool) => tool.id === name);
  const tool = exact ?? (usable.length === 1 ? (usable[0] ?? null) : null);
  return { tool, isElsewhere: exact === undefined && named.some(({ id }) => id === name) };
}
