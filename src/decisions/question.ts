import { canonicalJson, sha256Hex, type JsonObject } from '../kernel/index.js';
import type { Circumstances } from '../policy/index.js';

/** The most that a call's arguments may hold, in characters of JSON. */
export const MAX_ARGUMENTS_CHARACTERS = 256 * 1024;

/** The longest id that a caller may give to a question, in characters. */
export const MAX_REQUEST_ID_CHARACTERS = 200;

/** The most questions that one request may ask. */
export const MAX_QUESTIONS = 50;

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
  /** Where and how the call would be made; what is not said is null, and read as STRICTEST_CIRCUMSTANCES. */
  readonly circumstances: { readonly [Name in keyof Circumstances]: Circumstances[Name] | null };
  /** Obligations, or kinds of them, that the caller fulfils when the decision names them. */
  readonly promises: readonly string[];
}

/** What makes two questions the same one. */
export const questionDigest = ({ requestId: _, ...asked }: Question): string => sha256Hex(canonicalJson(asked));
