import type { Case } from './cases.js';
import type { JsonEntity, JsonRequest, JsonUid } from './oracle.js';

// What neither all pairs nor chance would come upon.

const uid = (type: string, id: string): JsonUid => ({ type, id });
const ALL = { op: 'All' };

const policy = (more: Readonly<Record<string, unknown>>): unknown => ({
  ...{ effect: 'permit', principal: ALL, action: ALL, resource: ALL, conditions: [] },
  ...more,
});
const request = (more: Partial<JsonRequest>): JsonRequest => ({
  ...{ principal: uid('User', 'ada'), action: uid('Action', 'read'), resource: uid('Doc', 'd'), context: {} },
  ...more,
});
const lies = (of: JsonUid, parents: readonly JsonUid[]): JsonEntity => ({ uid: of, attrs: {}, parents });
const level = (index: number): JsonUid => uid('Group', `level ${index}`);

/** Groups in groups in groups, many more than are compared one by one, and several ways to the top. */
const deepLine = (): Case => ({
  policies: Object.fromEntries(
    [0, 1, 14, 15, 16, 17, 38, 39, 40].flatMap((index) => [
      [`in ${index}`, policy({ resource: { op: 'in', entity: level(index) } })],
      [`is in ${index}`, policy({ resource: { op: 'is', entity_type: 'Doc', in: { entity: level(index) } } })],
    ]),
  ),
  entities: [
    lies(uid('Doc', 'd'), [level(0)]),
    ...Array.from({ length: 39 }, (_, index) => lies(level(index), [level(index + 1), level(Math.min(39, index + 3))])),
  ],
  requests: ['d', 'e'].map((id) => request({ resource: uid('Doc', id) })).concat(request({ resource: level(16) })),
});

/** Every form of a scope for every party, where each takes some requests only. */
function scopes(): Case {
  const people = ['ada', 'staff', 'gone'].map((id) => uid(id === 'staff' ? 'Group' : 'User', id));
  const forms = people.flatMap((entity) => [
    { op: '==', entity },
    { op: 'in', entity },
    { op: 'is', entity_type: entity.type },
    { op: 'is', entity_type: 'User', in: { entity } },
  ]);
  const actions = ['read', 'any'].map((id) => uid('Action', id));
  const actionForms = [
    ...actions.flatMap((entity) => [
      { op: '==', entity },
      { op: 'in', entity },
    ]),
    { op: 'in', entities: [] },
    { op: 'in', entities: actions },
    { op: 'in', entities: [uid('Action', 'write'), uid('Action', 'any')] },
  ];
  const policies = [
    ...forms.flatMap((form) => [policy({ principal: form }), policy({ resource: form }), policy({ principal: form, resource: form })]),
    ...actionForms.flatMap((action) => [policy({ action }), policy({ action, effect: 'forbid', principal: forms[0] })]),
  ];
  return {
    policies: Object.fromEntries(policies.map((each, index) => [`policy ${index}`, each])),
    entities: [lies(uid('User', 'ada'), [uid('Group', 'staff')]), lies(uid('Action', 'read'), [uid('Action', 'any')])],
    requests: [...people, uid('User', 'bob')].flatMap((principal) =>
      ['read', 'any', 'write'].flatMap((id) => people.map((resource) => request({ principal, resource, action: uid('Action', id) }))),
    ),
  };
}

/** Clauses in every order of holding, failing and having no value, with both kinds. */
function clauses(): Case {
  const bodies = [
    { Value: true },
    { Value: false },
    { '<': { left: { Value: 1 }, right: { Value: 'a' } } },
    { '.': { left: { Var: 'context' }, attr: 'gone' } },
    { Value: 7 },
    { '||': { left: { Var: 'context' }, right: { Value: true } } },
    { '!': { arg: { '&&': { left: { Value: true }, right: { Value: false } } } } },
  ];
  const all = bodies.flatMap((body) => [
    { kind: 'when', body },
    { kind: 'unless', body },
  ]);
  const policies = ['permit', 'forbid'].flatMap((effect) =>
    all.flatMap((first) => all.map((second) => policy({ effect, conditions: [first, second] }))),
  );
  return {
    policies: Object.fromEntries(policies.map((each, index) => [`policy ${index}`, each])),
    entities: [],
    requests: [request({}), request({ context: { gone: true } })],
  };
}

/** Only forbids that cannot be evaluated, beside a permit or none. */
const failing = (effects: readonly string[]): Case => ({
  policies: Object.fromEntries(
    effects.map((effect, index) => [
      `policy ${index}`,
      policy({
        effect,
        conditions: effect === 'forbid' ? [{ kind: 'when', body: { '.': { left: { Var: 'context' }, attr: 'gone' } } }] : [],
      }),
    ]),
  ),
  entities: [],
  requests: [request({}), request({ context: { gone: false } }), request({ context: { gone: true } })],
});

export const writtenCases = (): readonly Case[] => [
  { policies: {}, entities: [], requests: [request({})] },
  deepLine(),
  scopes(),
  clauses(),
  failing(['forbid', 'permit']),
  failing(['forbid']),
];
