import type { PolicyInForce } from './policy.js';

/** The most lines of which it is remembered what was made for them. */
const MAX_LINES = 10_000;

/**
 * Makes something of the policies that hold at the end of a line of namespaces, given by their ids. Lines with the same policies share it.
 *
 * @param make gets them from the organization's down, and the namespaces that hold them
 */
export function forEachLine<Made>(
  policies: readonly PolicyInForce[],
  make: (policies: readonly PolicyInForce[], holders: readonly string[]) => Made,
): (line: readonly string[]) => Made {
  const held = byNamespace(policies);
  const made = new Map<string, { readonly value: Made }>();
  // By the end of the line, which nearly always has one line.
  const lines = new Map<string, { readonly line: readonly string[]; readonly value: Made }>();
  const madeOf = (holders: readonly string[]): { readonly value: Made } => {
    const name = JSON.stringify(holders);
    const known = made.get(name);
    if (known !== undefined) return known;
    const policiesThere = holders.flatMap((id) => held.get(id) ?? []);
    const value = { value: make(policiesThere, holders) };
    made.set(name, value);
    return value;
  };
  return (line) => {
    const end = line.at(-1) ?? '';
    const known = lines.get(end);
    if (known !== undefined && isSameLine(known.line, line)) return known.value;
    if (lines.size >= MAX_LINES) lines.clear();
    const { value } = madeOf(line.filter((id) => held.has(id)));
    lines.set(end, { line: [...line], value });
    return value;
  };
}

function isSameLine(left: readonly string[], right: readonly string[]): boolean {
  if (left.length !== right.length) return false;
  for (let index = 0; index < left.length; index += 1) if (left[index] !== right[index]) return false;
  return true;
}

function byNamespace(policies: readonly PolicyInForce[]): ReadonlyMap<string, readonly PolicyInForce[]> {
  const groups = new Map<string, PolicyInForce[]>();
  for (const policy of policies) {
    const group = groups.get(policy.namespaceId);
    if (group === undefined) groups.set(policy.namespaceId, [policy]);
    else group.push(policy);
  }
  return groups;
}
