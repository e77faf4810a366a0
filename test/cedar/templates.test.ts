import { describe, expect, it } from '@jest/globals';
import { isAuthorized } from '@cedar-policy/cedar-wasm/nodejs';
import {
  compilePolicies,
  entityUid,
  linkTemplate,
  requestFromJson,
  entitiesFromJson,
  Unsupported,
  type Slots,
} from '../../src/cedar/index.js';
import { estOf, templateOf, type JsonUid } from './oracle.js';

const uid = (type: string, id: string): JsonUid => ({ type, id });
const people = ['ada', 'bob', 'staff'].map((id) => uid(id === 'staff' ? 'Group' : 'User', id));
const entities = [{ uid: uid('User', 'ada'), attrs: {}, parents: [uid('Group', 'staff')] }];

const TEMPLATES = [
  'permit (principal == ?principal, action, resource);',
  'permit (principal in ?principal, action, resource == ?resource);',
  'forbid (principal is User in ?principal, action, resource is Group in ?resource) unless { principal == resource };',
  'permit (principal, action, resource in ?resource) when { principal in Group::"staff" };',
];

const filled = (template: string, entity: JsonUid): Slots => ({
  ...(template.includes('?principal') && { principal: entityUid(entity.type, entity.id) }),
  ...(template.includes('?resource') && { resource: entityUid(entity.type, entity.id) }),
});

describe('a template with its slots filled', () => {
  it.each(TEMPLATES.flatMap((template) => people.map((entity) => [template, entity] as const)))(
    'answers as Cedar links it: %s with %j',
    (template, entity) => {
      const all = 'permit (principal, action, resource);';
      const linked = compilePolicies(
        new Map<string, unknown>([
          ['all', estOf(all)],
          ['link', linkTemplate(templateOf(template), filled(template, entity))],
        ]),
      );
      const values = {
        ...(template.includes('?principal') && { '?principal': entity }),
        ...(template.includes('?resource') && { '?resource': entity }),
      };
      for (const principal of people) {
        for (const resource of people) {
          const request = { principal, action: uid('Action', 'read'), resource, context: {} };
          const wanted = isAuthorized({
            ...request,
            entities,
            policies: { staticPolicies: { all }, templates: { t: template }, templateLinks: [{ templateId: 't', newId: 'link', values }] },
          });
          const got = linked.authorize(requestFromJson(request), entitiesFromJson(entities));

          expect(wanted).toMatchObject({
            type: 'success',
            response: { decision: got.isAllowed ? 'allow' : 'deny', diagnostics: { reason: expect.arrayContaining([...got.reasons]) } },
          });
        }
      }
    },
  );

  it.each<[string, string, Slots]>([
    ['is left over', 'permit (principal == ?principal, action, resource);', {}],
    [
      'is left over beside another',
      'permit (principal in ?principal, action, resource in ?resource);',
      { principal: entityUid('User', 'ada') },
    ],
    ['is not there', 'permit (principal, action, resource in ?resource);', { principal: entityUid('User', 'ada') }],
  ])('is refused when a slot %s', (_what, template, slots) => {
    expect(() => linkTemplate(templateOf(template), slots)).toThrow(Unsupported);
  });
});
