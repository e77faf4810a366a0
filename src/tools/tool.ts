import { canonicalJson, sha256Hex, type JsonObject } from '../kernel/index.js';

export type ActionType = 'READ' | 'WRITE' | 'DESTROY';

/** Hints about a tool, after the Model Context Protocol (revision 2025-11-25); null where the server says nothing. */
export interface Annotations {
  readonly readOnlyHint: boolean | null;
  readonly destructiveHint: boolean | null;
  readonly idempotentHint: boolean | null;
  readonly openWorldHint: boolean | null;
}

/** What a tool says of itself: name, description and schemas. A changed definition is another tool under an old name. */
export interface Definition {
  readonly name: string;
  readonly description: string | null;
  readonly inputSchema: JsonObject;
  readonly outputSchema: JsonObject | null;
}

/** A registered tool. */
export interface Tool {
  /** Canonical id, `server/name`. */
  readonly id: string;
  readonly namespaceId: string;
  readonly title: string | null;
  readonly description: string | null;
  readonly aliases: readonly string[];
  readonly inputSchema: JsonObject;
  readonly outputSchema: JsonObject | null;
  readonly annotations: Annotations;
  readonly actionType: ActionType;
  /** Why the action type is laxer than the annotations say; null when it is not. */
  readonly actionTypeReason: string | null;
  readonly definitionDigest: string;
  /** Words that policies speak of, for example `network`; sorted. */
  readonly labels: readonly string[];
  readonly registeredAt: Date;
  readonly changedAt: Date;
  readonly registeredBy: string;
}

/** How dangerous a call is, by what it can do. */
export const RISKS: Readonly<Record<ActionType, number>> = { READ: 1, WRITE: 2, DESTROY: 3 };

/** Of a tool that is not registered: more than any that is. */
export const UNKNOWN_RISK = 4;

/** Server and name in a canonical id: everything before the last `/` is the server, since server names may hold one. */
export function partsOf(id: string): { readonly server: string; readonly name: string } {
  const slash = id.lastIndexOf('/');
  return { server: id.slice(0, slash), name: id.slice(slash + 1) };
}

/**
 * What the annotations say a tool can do, the strictest reading winning: destructive, or no word about it, is DESTROY; read-only
 * is READ; otherwise WRITE, as GitLab classifies the tools of MCP servers.
 */
export function annotatedActionType({ readOnlyHint, destructiveHint }: Annotations): ActionType {
  if (destructiveHint === true) return 'DESTROY';
  if (readOnlyHint === true) return 'READ';
  return destructiveHint === false || readOnlyHint === false ? 'WRITE' : 'DESTROY';
}

/** SHA-256, in hexadecimal, of the canonical JSON (RFC 8785) of a definition. */
export const digestOf = ({ name, description, inputSchema, outputSchema }: Definition): string =>
  sha256Hex(canonicalJson({ name, description, inputSchema, outputSchema }));
