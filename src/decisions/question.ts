import { canonicalJson, sha256Hex, type JsonObject } from '../kernel/index.js';

/** The most that a call's arguments may hold, in characters of JSON. */
export const MAX_ARGUMENTS_CHARACTERS = 256 * 1024;

/** What is asked: may this agent make this call now? The user is the one whose token asks. */
export interface Question {
  /** The caller's own id of the question; null when a repetition need not be recognised. */
  readonly requestId: string | null;
  readonly agentId: string;
  readonly projectId: string;
  /** Canonical id, alias or name of the tool. */
  readonly tool: string;
  readonly arguments: JsonObject;
  readonly sessionId: string | null;
  readonly callId: string | null;
}

/** What makes two questions the same one. */
export const questionDigest = ({ requestId: _, ...asked }: Question): string => sha256Hex(canonicalJson(asked));
