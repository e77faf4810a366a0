import { describe, expect, it } from '@jest/globals';
import { policyToJson, templateToJson } from '@cedar-policy/cedar-wasm/nodejs';
import type { Namespace } from '../../src/directory/index.js';
import { organizationId, type Json } from '../../src/kernel/index.js';
import { confinementProblems } from '../../src/policy/confine.js';

const line = (...ancestors: readonly string[]) => ancestors;
const namespace = (kind: Namespace['kind'], ancestors: readonly string[]): Namespace => {
  const id = ancestors.at(-1) ?? '';
  return { id, kind, parentId: ancestors.at(-2) ?? null, path: id, name: id, ancestors, dataClass: null, isFrozen: false, timeZone: null };
};
/** Five levels: company / payments / core / cards / api, and the sibling web of core. */
const tree = [
  namespace('ORGANIZATION', line('company')),
  namespace('GROUP', line('company', 'payments')),
  namespace('GROUP', line('company', 'payments', 'core')),
  namespace('GROUP', line('company', 'payments', 'core', 'cards')),
  namespace('PROJECT', line('company', 'payments', 'core', 'cards', 'api')),
  namespace('PROJECT', line('company', 'payments', 'web')),
];

function estOf(text: string): Json {
  const converted = text.includes('?') ? templateToJson(text) : policyToJson(text);
  if (converted.type === 'failure') throw new Error(JSON.stringify(converted.errors));
  return JSON.parse(JSON.stringify(converted.json));
}

const problemsOf = async (text: string, at: string) => {
  const place = tree.find(({ id }) => id === at);
  if (place === undefined) throw new Error(at);
  const directory: Parameters<typeof confinementProblems>[0] = {
    namespaces: async (_organization, ids) => tree.filter(({ id }) => ids.includes(id)),
  };
  return confinementProblems(directory, organizationId('company'), place, { text, statements: [{ effect: 'PERMIT', est: estOf(text) }] });
};
const scoped = (resource: string): string => `permit (principal, action, ${resource});`;

describe('a scope', () => {
  it.each([
    ['nothing in particular', 'resource', 'api'],
    ['the namespace itself', 'resource in Group::"core"', 'core'],
    ['a project three levels below', 'resource in Project::"api"', 'payments'],
    ['the organization, from the organization', 'resource in Organization::"company"', 'company'],
    ['a tool', 'resource in Tool::"io.example/x"', 'api'],
    ['a server that has the name of a group', 'resource in Server::"payments"', 'api'],
    ['a type and a namespace below', 'resource is ToolUse in Group::"cards"', 'core'],
  ])('may name %s', async (_what, resource, at) => {
    expect(await problemsOf(scoped(resource), at)).toEqual([]);
  });

  it.each([
    ['the namespace above', 'resource in Group::"payments"', 'core'],
    ['the organization, from a group', 'resource in Organization::"company"', 'payments'],
    ['a sibling', 'resource in Project::"web"', 'core'],
    ['a type and a namespace elsewhere', 'resource is ToolUse in Group::"payments"', 'core'],
    ['one that does not exist', 'resource in Group::"nowhere"', 'company'],
    ['a group as if it were a project', 'resource in Project::"core"', 'payments'],
    ['a namespace elsewhere, to be equal to', 'resource == Project::"web"', 'core'],
    ['a namespace elsewhere, written with escapes', 'resource in Project::"\\u{77}eb"', 'core'],
    ['a namespace elsewhere, in odd layout', 'resource in Project /* */ :: "web"'.replace('/* */', '// a\n'), 'core'],
  ])('must not name %s', async (_what, resource, at) => {
    expect(await problemsOf(scoped(resource), at)).toEqual([
      expect.objectContaining({ message: expect.stringMatching(/^The scope names \w+::".+", which is not .+ nor below it/) }),
    ]);
  });

  it('says where it names it', async () => {
    expect(await problemsOf('permit (\n  principal,\n  action,\n  resource in Project::"web"\n);', 'core')).toEqual([
      expect.objectContaining({ line: 4, column: 15 }),
    ]);
  });

  it.each(['resource in ?resource', 'resource == ?resource', 'resource is ToolUse in ?resource'])(
    'must not be left for a template to fill: %s',
    async (resource) => {
      expect(await problemsOf(scoped(resource), 'company')).toEqual([
        expect.objectContaining({ message: expect.stringContaining('Templates') }),
      ]);
    },
  );

  it('of the principal must not be left for a template to fill', async () => {
    expect(await problemsOf('permit (principal == ?principal, action, resource);', 'company')).toHaveLength(1);
  });

  it('alone is confined: a condition can name what it likes, since it only takes away', async () => {
    expect(await problemsOf('permit (principal, action, resource) when { resource in Project::"web" };', 'core')).toEqual([]);
  });
});
