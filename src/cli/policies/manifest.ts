import { z } from 'zod';
import type { BundledPolicy } from '../../policy/index.js';
import { MANIFEST } from './file-names.js';

/** What `policies.json` says. Everything may be left out, and so may the file. */
const Manifest = z.strictObject({
  /** The namespace whose policies the folder holds. */
  namespace: z.string().min(1).max(300).optional(),
  /** The names of warnings that the authors have read and mean. */
  confirm: z.array(z.string()).optional(),
  /** By name. */
  policies: z
    .record(z.string(), z.strictObject({ mode: z.enum(['ENFORCE', 'SHADOW']).optional(), description: z.string().max(1_000).optional() }))
    .optional(),
});
export type Manifest = z.infer<typeof Manifest>;

export const NO_MANIFEST: Manifest = {};

/** What the text of a manifest says, or what is wrong with it. */
export function readManifest(text: string): Manifest | { readonly problems: readonly string[] } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { problems: [`${MANIFEST}: is no JSON: ${error instanceof Error ? error.message : String(error)}.`] };
  }
  const read = Manifest.safeParse(value);
  return read.success
    ? read.data
    : { problems: read.error.issues.map(({ path, message }) => `${MANIFEST}: ${path.join('.') || 'it'}: ${message}.`) };
}

/** What a manifest says of a policy, and what is meant where it says nothing. */
export function saidOf({ policies = {} }: Manifest, name: string): Pick<BundledPolicy, 'mode' | 'description'> {
  const said = Object.hasOwn(policies, name) ? policies[name] : undefined;
  return { mode: said?.mode ?? 'ENFORCE', description: said?.description ?? null };
}

/** A manifest that says of these policies what they are, and else what `before` says; with as few words as there can be. */
export function manifestOf(before: Manifest, policies: readonly BundledPolicy[]): Manifest {
  const said = policies.flatMap(({ name, mode, description }) =>
    mode === 'ENFORCE' && description === null
      ? []
      : [[name, { ...(mode === 'ENFORCE' ? {} : { mode }), ...(description === null ? {} : { description }) }] as const],
  );
  return {
    ...(before.namespace !== undefined && { namespace: before.namespace }),
    ...(before.confirm !== undefined && { confirm: before.confirm }),
    ...(said.length > 0 && { policies: Object.fromEntries(said) }),
  };
}

/** Whether two manifests say the same of these policies. */
export const isSameSaid = (left: Manifest, right: Manifest, names: readonly string[]): boolean =>
  names.every((name) => {
    const [one, other] = [saidOf(left, name), saidOf(right, name)];
    return one.mode === other.mode && one.description === other.description;
  });
