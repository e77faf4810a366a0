import { ROLE_LEVELS } from '../../directory/index.js';
import type { Json } from '../../kernel/index.js';
import { MAX_APPROVERS } from '../annotations.js';
import { promisedIn, type PolicySet } from '../evaluate.js';
import { EXECUTION_MODES, SURFACES, type Circumstances, type ToolCall } from '../tool-call.js';
import type { CallChange, ChangeKind, Ladder } from './change.js';
import { textsComparedWith } from './mentions.js';
import { isRead } from './reads.js';
import { approvalWords, roleOf } from './words.js';

/** How far ahead times are tried. */
const MAX_HOURS = 7 * 24;

/** Every approval that there can be, by the role of the approvers and then by their number. */
export function approvals(call: ToolCall): Ladder {
  const levels = [ROLE_LEVELS.REPORTER, ROLE_LEVELS.DEVELOPER, ROLE_LEVELS.MAINTAINER, ROLE_LEVELS.OWNER];
  const counts = Array.from({ length: MAX_APPROVERS }, (_, index) => index + 1);
  const text = ({ level, count }: { readonly level: number; readonly count: number }): string =>
    `${String(roleOf(level)).toLowerCase()}${count === 1 ? '' : `:${count}`}`;
  return levels.flatMap((level) =>
    counts.map((count): CallChange => {
      const approval = { level, count };
      const message = `If the call had ${approvalWords(approval)}.`;
      return {
        kind: 'APPROVAL',
        from: call.approval === null ? null : text(call.approval),
        to: text(approval),
        message,
        call: { ...call, approval },
      };
    }),
  );
}

/** Each obligation that is not promised yet and, where there are several, all of them at once. */
export function promises(set: PolicySet, call: ToolCall): readonly Ladder[] {
  const promised = promisedIn(set, call);
  const missing = set.obligations.filter((obligation) => !promised.includes(obligation)).sort();
  const change = (obligations: readonly string[]): CallChange => ({
    ...{ kind: 'PROMISE', from: null, to: obligations.join(', ') },
    message: `If the service that asks promised ${obligations.join(', ')}.`,
    call: { ...call, promises: [...call.promises, ...obligations] },
  });
  return [...missing.map((obligation) => [change([obligation])]), ...(missing.length > 1 ? [[change(missing)]] : [])];
}

/** Where, how and when the call would be made. Only what statements compare with is tried where there is no end of values. */
export function circumstances(inScope: readonly Json[], call: ToolCall): readonly Ladder[] {
  const said = call.circumstances;
  const alone = (kind: ChangeKind, from: string | null, to: string | null, message: string, changed: Partial<Circumstances>): Ladder => [
    { kind, from, to, message, call: { ...call, circumstances: { ...said, ...changed } } },
  ];
  const environments = new Set([...textsComparedWith(inScope, 'context.environment'), 'production', 'staging', 'none']);
  const branches = [null, ...textsComparedWith(inScope, 'context.branch')];
  return [
    ...EXECUTION_MODES.filter((mode) => mode !== said.executionMode).map((mode) =>
      alone('EXECUTION_MODE', said.executionMode, mode, MODE_WORDS[mode], { executionMode: mode }),
    ),
    ...SURFACES.filter((surface) => surface !== said.surface).map((surface) =>
      alone('SURFACE', said.surface, surface, `If the call came from the surface ${surface}.`, { surface }),
    ),
    ...[...environments]
      .filter((environment) => environment !== said.environment)
      .map((environment) => alone('ENVIRONMENT', said.environment, environment, `If the call acted on “${environment}”.`, { environment })),
    ...branches
      .filter((branch) => branch !== said.branch)
      .map((branch) =>
        alone(
          'BRANCH',
          said.branch,
          branch,
          branch === null ? 'If the call named no branch.' : `If the call acted on the branch “${branch}”.`,
          { branch },
        ),
      ),
    alone(
      ...(['BRANCH_PROTECTION', PROTECTION[`${said.isBranchProtected}`], PROTECTION[`${!said.isBranchProtected}`]] as const),
      `If the branch were ${said.isBranchProtected ? 'not protected' : 'protected'}.`,
      { isBranchProtected: !said.isBranchProtected },
    ),
    ...(call.sessionId === null ? [[sessionNamed(call)]] : []),
    ...(isRead(inScope, 'context.now') || isRead(inScope, 'context.local') ? [hoursAhead(call)] : []),
  ];
}

const MODE_WORDS = {
  INTERACTIVE: 'If a human were there to ask (INTERACTIVE).',
  BACKGROUND: 'If the call were made in the background, where nobody is there to ask (BACKGROUND).',
} as const;
const PROTECTION = { true: 'protected', false: 'unprotected' } as const;

const sessionNamed = (call: ToolCall): CallChange => ({
  ...{ kind: 'SESSION', from: null, to: 'any', message: 'If the call named the run that it belongs to.' },
  call: { ...call, sessionId: 'any' },
});

/** Full hours (UTC) from the next one on. */
function hoursAhead(call: ToolCall): Ladder {
  const hour = 3_600_000;
  const next = (Math.floor(call.now.getTime() / hour) + 1) * hour;
  return Array.from({ length: MAX_HOURS }, (_, index): CallChange => {
    const now = new Date(next + index * hour);
    const to = now.toISOString();
    return { kind: 'TIME', from: call.now.toISOString(), to, message: `If the call were made at ${to}.`, call: { ...call, now } };
  });
}
