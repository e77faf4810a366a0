import { valueToJson, type EntityUid, type Fields } from '../../cedar/index.js';
import { loadPolicySet, type WasmRequest } from '../../platform/cedar-wasm.js';
import { compiledEngine, estsOf } from '../compiled-engine.js';
import type { CedarAnswer, CedarRequest, LoadedStatements, PolicyEngine } from '../ports.js';

/** Decides in milliseconds: cedar-wasm, which is Cedar itself. What it does not do is to explain. */
export const wasmEngine: PolicyEngine = {
  load(statements) {
    const set = loadPolicySet(Object.fromEntries([...estsOf(statements)].map(([id, est]) => [id, est as never])));
    let explaining: LoadedStatements | null = null;
    return {
      authorize: (request) => set.authorize(inJson(request)),
      mayApply: () => true,
      explain: (request) => (explaining ??= compiledEngine.load(statements)).explain(request),
    };
  },
};

/** Asks both, and answers only when they say the same: where they do not, nobody knows what the policies mean. */
export const bothEngines: PolicyEngine = {
  load(statements) {
    const [ours, reference] = [compiledEngine.load(statements), wasmEngine.load(statements)];
    return {
      authorize(request) {
        const [answer, expected] = [ours.authorize(request), reference.authorize(request)];
        const differing = differenceOf(answer, expected);
        if (differing !== null) throw new Error(`The compiled policies and Cedar do not agree on ${differing}.`);
        return answer;
      },
      mayApply: (request) => ours.mayApply(request),
      explain: (request) => ours.explain(request),
    };
  },
};

/** Says where two answers differ; null when they do not. */
function differenceOf(left: CedarAnswer, right: CedarAnswer): string | null {
  if (left.isAllowed !== right.isAllowed) return `the answer (${left.isAllowed} and ${right.isAllowed})`;
  const differing = [...onlyInOne(left.reasons, right.reasons), ...onlyInOne(left.errors, right.errors)];
  return differing.length === 0 ? null : `the statements ${differing.join(', ')}`;
}

const onlyInOne = (left: readonly string[], right: readonly string[]): readonly string[] => [
  ...left.filter((id) => !right.includes(id)),
  ...right.filter((id) => !left.includes(id)),
];

/** The request in Cedar's JSON format (docs.cedarpolicy.com/auth/entities-syntax.html). */
const inJson = ({ principal, action, resource, context, entities }: CedarRequest): WasmRequest =>
  ({
    ...{ principal: nameOf(principal), action: nameOf(action), resource: nameOf(resource), context: membersOf(context.fields) },
    entities: [...entities.values()].map(({ uid, attributes, tags, parents }) => ({
      ...{ uid: nameOf(uid), attrs: membersOf(attributes), tags: membersOf(tags), parents: parents.map(nameOf) },
    })),
  }) as WasmRequest;

const nameOf = ({ type, id }: EntityUid) => ({ type, id });

/** Defined, not set: a name from outside may be `__proto__`. */
const membersOf = (fields: Fields): object => Object.fromEntries([...fields].map(([name, value]) => [name, valueToJson(value)]));
