import type { Json } from '../../kernel/index.js';
import type { PolicySet } from '../evaluate.js';
import type { ToolCall } from '../tool-call.js';
import type { Ladder } from './change.js';
import { approvals, circumstances, promises } from './changes-around.js';
import { ofAgent, ofProject, ofTool, ofUser } from './changes-of-parties.js';

/**
 * The single changes of a call that are tried. Pure.
 *
 * @param inScope the statements, in Cedar's JSON form, whose scope takes the call
 */
export const callChanges = (set: PolicySet, inScope: readonly Json[], call: ToolCall): readonly Ladder[] => [
  approvals(call),
  ...promises(set, call),
  ...circumstances(inScope, call),
  ...ofUser(set, call),
  ...ofAgent(set, inScope, call),
  ...ofTool(set, call),
  ...ofProject(call),
];
