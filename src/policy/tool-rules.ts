import { isPlain, isWellFormed } from '../kernel/index.js';
import { MAX_TEXT_BYTES } from './guard.js';
import type { Policy } from './policy.js';

/** What agents of a class may do with a tool: call it, call it once a human has approved the call, or not call it. */
export const RULE_VERDICTS = ['ALLOW', 'ASK', 'DENY'] as const;
export type RuleVerdict = (typeof RULE_VERDICTS)[number];

export interface ToolRule {
  /** The tool's canonical id; of an unknown tool, the name that calls use. */
  readonly tool: string;
  readonly agentClass: string;
  readonly verdict: RuleVerdict;
}

/** A rule with the policy that holds its text. */
export interface StoredRule extends ToolRule {
  readonly policyId: string;
  readonly setAt: Date;
  readonly setBy: string;
}

/** A rule that is set, or taken away when the verdict is null. */
export interface RuleChange {
  readonly tool: string;
  readonly agentClass: string;
  readonly verdict: RuleVerdict | null;
  /** The policy that holds its text from then on, or held it. */
  readonly policyId: string;
}

/** A rule to set, or to take away when the verdict is null. */
export type RuleRequest = Omit<RuleChange, 'policyId'>;

/** All rules of a namespace, and the policies that hold them; or have held some. */
export interface RuleBook {
  readonly policies: readonly Policy[];
  readonly rules: readonly StoredRule[];
}

/** The most rules that one namespace can have. */
export const MAX_RULES = 5_000;
const MAX_TOOL_CHARACTERS = 300;
const MAX_CLASS_CHARACTERS = 100;

/** What of a rule is not acceptable, and what would be right; null when nothing is. */
export const ruleProblem = ({ tool, agentClass }: RuleRequest): string | null =>
  idProblem('tool', tool, MAX_TOOL_CHARACTERS) ?? idProblem('agentClass', agentClass, MAX_CLASS_CHARACTERS);

function idProblem(name: string, id: string, most: number): string | null {
  if (id === '' || id.length > most) return `${name}: must have 1 to ${most} characters`;
  // Characters that turn the direction of writing would make the text look like another one.
  if (!isPlain(id) || !isWellFormed(id) || /\p{Bidi_Control}/u.test(id)) return `${name}: must not hold control characters`;
  return null;
}

const HEAD = '// Follows from rules about tools. Change them with agentToolRuleSet, not this text.\n';

/** The rule as Cedar. A rule that asks permits the call, too, to whoever has the approval. */
export function cedarOf({ tool, agentClass, verdict }: ToolRule): string {
  const scope = `(principal in AgentClass::${quoted(agentClass)}, action == Action::"invokeTool", resource in Tool::${quoted(tool)})`;
  const permit = `permit ${scope};\n`;
  switch (verdict) {
    case 'ALLOW':
      return permit;
    case 'ASK':
      return `${permit}@approval("developer")\nforbid ${scope}\nunless { context has approval && context.approval.level >= 30 };\n`;
    case 'DENY':
      return `forbid ${scope};\n`;
  }
}

/** The text of a policy that holds these rules; in an order of its own, so that the same rules give the same text. */
export const textOfRules = (rules: readonly ToolRule[]): string => `${HEAD}${[...rules].sort(byKey).map(cedarOf).join('')}`;

/** Ids hold no control characters; of what is left, Cedar and JSON escape the same two. */
const quoted = (id: string): string => JSON.stringify(id);

export const ruleKey = ({ tool, agentClass }: Pick<ToolRule, 'tool' | 'agentClass'>): string => JSON.stringify([tool, agentClass]);

const byKey = (left: ToolRule, right: ToolRule): number => (ruleKey(left) < ruleKey(right) ? -1 : 1);

/** A policy that holds rules, or a new one to hold them. */
export interface RuleHolder {
  /** Null: to be created. */
  readonly policyId: string | null;
  readonly rules: readonly ToolRule[];
  readonly isChanged: boolean;
}

/**
 * Where rules go when some are set and some taken away. Pure.
 *
 * A policy's text holds some eighty rules, and a thousand are a dozen policies. A rule stays where it is, so that a change makes a new
 * revision of one policy alone; unless it has no room there any more. New rules fill what room there is before a new policy is made.
 */
export function placeRules(
  holders: readonly { readonly policyId: string; readonly rules: readonly ToolRule[] }[],
  changes: readonly RuleRequest[],
): readonly RuleHolder[] {
  const wanted = new Map(changes.map((change) => [ruleKey(change), change]));
  const boxes = holders.map(({ policyId, rules }) => new Box(policyId, rules));
  for (const box of boxes) for (const rule of box.take((each) => wanted.has(ruleKey(each)))) box.putBack(rule, wanted);
  const homeless = [...wanted.values()].flatMap(({ verdict, ...rule }) => (verdict === null ? [] : [{ ...rule, verdict }]));
  for (const rule of homeless) {
    const box = boxes.find((each) => each.hasRoomFor(rule)) ?? boxes[boxes.push(new Box(null, [])) - 1];
    box?.put(rule);
  }
  return boxes.map(({ policyId, rules, isChanged }) => ({ policyId, rules: [...rules.values()], isChanged }));
}

/** The rules of one policy while they are placed. */
class Box {
  readonly policyId: string | null;
  readonly rules: Map<string, ToolRule>;
  isChanged = false;
  #bytes: number;

  constructor(policyId: string | null, rules: readonly ToolRule[]) {
    this.policyId = policyId;
    this.rules = new Map(rules.map((rule) => [ruleKey(rule), rule]));
    this.#bytes = Buffer.byteLength(textOfRules(rules));
  }

  hasRoomFor(rule: ToolRule): boolean {
    return this.#bytes + bytesOf(rule) <= MAX_TEXT_BYTES;
  }

  put(rule: ToolRule): void {
    this.rules.set(ruleKey(rule), rule);
    this.#bytes += bytesOf(rule);
    this.isChanged = true;
  }

  /** Takes out every rule that `isTaken`. */
  take(isTaken: (rule: ToolRule) => boolean): readonly ToolRule[] {
    const taken = [...this.rules.values()].filter(isTaken);
    for (const rule of taken) {
      this.rules.delete(ruleKey(rule));
      this.#bytes -= bytesOf(rule);
      this.isChanged = true;
    }
    return taken;
  }

  /** Puts back as it is to be what was taken, where there is room; and then it is wanted no more. */
  putBack(rule: ToolRule, wanted: Map<string, RuleRequest>): void {
    const verdict = wanted.get(ruleKey(rule))?.verdict ?? null;
    const changed = verdict === null ? null : { ...rule, verdict };
    if (changed !== null && !this.hasRoomFor(changed)) return;
    if (changed !== null) this.put(changed);
    wanted.delete(ruleKey(rule));
  }
}

const bytesOf = (rule: ToolRule): number => Buffer.byteLength(cedarOf(rule));
