import type { PolicyInForce } from './policy.js';

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
  return (line) => {
    const holders = line.filter((id) => held.has(id));
    const name = JSON.stringify(holders);
    const known = made.get(name);
    if (known !== undefined) return known.value;
    const value = make(
      holders.flatMap((id) => held.get(id) ?? []),
      holders,
    );
    made.set(name, { value });
    return value;
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
