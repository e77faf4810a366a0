import type { NamespaceKind } from '../../directory/index.js';
import type { NamespaceFacts, ToolCall } from '../tool-call.js';
import type { CaseCall, PolicyCase } from './case.js';

/** A namespace on the line from the organization down to the one that a policy is attached to. */
export interface LineSeat {
  readonly id: string;
  readonly kind: NamespaceKind;
}

/** The project of a case that names none, where the policy is not attached to one. */
export const SOME_PROJECT = 'project';

/**
 * The call of a case, for a policy that is attached to the last of `line`. Of the namespaces down to there nothing counts but what and
 * which they are: a case means the same whatever the platform says of them later. Pure.
 */
export function callOfCase({ project, ...call }: CaseCall, line: readonly LineSeat[]): ToolCall {
  const silent = ({ id, kind }: LineSeat): NamespaceFacts => ({ id, kind, dataClass: null, isFrozen: false });
  const said = { kind: 'PROJECT', dataClass: project.dataClass, isFrozen: project.isFrozen } as const;
  const last = line.at(-1);
  if (last?.kind === 'PROJECT') return { ...call, projectLine: [...line.slice(0, -1).map(silent), { ...said, id: last.id }] };
  const groups = project.groups.map((id) => silent({ id, kind: 'GROUP' }));
  return { ...call, projectLine: [...line.map(silent), ...groups, { ...said, id: project.id ?? SOME_PROJECT }] };
}

/** A member of a case that does not fit to where the policy is attached. */
export interface SeatProblem {
  readonly index: number;
  /** Of the case's project. */
  readonly member: 'id' | 'groups';
  readonly message: string;
  readonly help: string;
}

/** What of the cases does not fit to a policy that is attached to the last of `line`. */
export const seatProblems = (cases: readonly Pick<PolicyCase, 'call'>[], line: readonly LineSeat[]): readonly SeatProblem[] =>
  cases.flatMap(({ call: { project } }, index) => problemsOf(project, line).map((problem) => ({ index, ...problem })));

function problemsOf({ id, groups }: CaseCall['project'], line: readonly LineSeat[]): readonly Omit<SeatProblem, 'index'>[] {
  const last = line.at(-1);
  if (last?.kind === 'PROJECT') {
    const isOther = id !== null && id !== last.id;
    const message = `is not the project that the policy is attached to, ${last.id}: in another one it decides nothing`;
    return [
      ...(isOther ? [{ member: 'id', message, help: 'Leave it out.' } as const] : []),
      ...(groups.length > 0
        ? [{ member: 'groups', message: 'has nothing to say: there is no group below a project', help: 'Leave it out.' } as const]
        : []),
    ];
  }
  const above = new Set(line.map((seat) => seat.id));
  const repeated = groups.find((group, index) => above.has(group) || groups.indexOf(group) !== index);
  if (repeated === undefined) return [];
  const message = `names ${repeated}, which is on the line already`;
  return [{ member: 'groups', message, help: 'Name the groups below the policy’s namespace, from above down, each once.' }];
}
