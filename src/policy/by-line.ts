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
  const lines = new Map<string, { readonly value: Made }>();
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
    const place = JSON.stringify(line);
    const known = lines.get(place);
    if (known !== undefined) return known.value;
    if (lines.size >= MAX_LINES) lines.clear();
    const found = madeOf(line.filter((id) => held.has(id)));
    lines.set(place, found);
    return found.value;
  };
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
