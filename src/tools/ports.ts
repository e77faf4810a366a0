import type { AuditLog } from '../audit/index.js';
import type { Directory, EpochCounter } from '../directory/index.js';
import type { OrganizationId, PageRequest } from '../kernel/index.js';
import type { Tool } from './tool.js';

/** Reads the registry. */
export interface ToolReader {
  /** Those of `ids` that are registered in the organization, in no order. */
  byIds(organizationId: OrganizationId, ids: readonly string[]): Promise<readonly Tool[]>;
  /** Tools whose canonical id or one of whose aliases is `name`, or whose name on their server is; in no order. */
  byAnyName(organizationId: OrganizationId, name: string): Promise<readonly Tool[]>;
  /** A page of the tools registered for any of the namespaces `visible` or below them, by id; one more than asked when there are more. */
  list(organizationId: OrganizationId, memberOf: readonly string[], page: PageRequest): Promise<readonly Tool[]>;
  /** For each of `projectIds`, in their order, a page of the tools registered there or above; null for a project that is not below any of `memberOf`. */
  listFor(
    organizationId: OrganizationId,
    memberOf: readonly string[],
    projectIds: readonly string[],
    page: PageRequest,
  ): Promise<readonly (readonly Tool[] | null)[]>;
}

/** Writes the registry, inside one transaction. */
export interface ToolWriter {
  /** The tool, locked until the transaction ends; null when there is none. No other transaction can register it meanwhile. */
  lock(organizationId: OrganizationId, id: string): Promise<Tool | null>;
  put(organizationId: OrganizationId, tool: Tool): Promise<void>;
}

/** What one transaction over the registry can do. */
export interface ToolTransaction {
  readonly tools: ToolWriter;
  /** Over the same connection: whoever waits for a tool's lock holds one already, and must not need a second. */
  readonly directory: Directory;
  readonly auditLog: AuditLog;
  readonly epoch: EpochCounter;
}
