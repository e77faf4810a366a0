// Parses one policy text in an instance of cedar-wasm that is used for nothing else and thrown away: a text that breaks the
// parser breaks this thread alone.
import { parentPort, workerData } from 'node:worker_threads';
import { checkParsePolicySet, policySetTextToParts, policyToJson, validate } from '@cedar-policy/cedar-wasm/nodejs';

const { text, schema } = workerData;

/** @param {{ message: string, help: string | null, sourceLocations?: { start: number }[] }} error */
const problem = (error) => ({ message: error.message, help: error.help ?? null, byte: error.sourceLocations?.[0]?.start ?? null });

// Of what Cedar only warns of: a policy that can never match, whose author believes that it does, and characters that make a text look
// like another one. Several scripts in one string are not among them: file names are like that.
const MISTAKES = /policy is impossible|unable to find an applicable action|BIDI control characters/;

function parse() {
  const parts = policySetTextToParts(text);
  if (parts.type === 'failure') return { problems: parts.errors.map(problem) };
  if (parts.policy_templates.length > 0)
    return { problems: [{ message: 'Templates (?principal, ?resource) are not supported.', help: 'Write the policy out.', byte: null }] };
  if (parts.policies.length === 0)
    return { problems: [{ message: 'The text holds no policy.', help: 'Write at least one permit or forbid.', byte: null }] };

  const validated = validate({ schema, policies: { staticPolicies: text }, validationSettings: { mode: 'strict' } });
  if (validated.type === 'failure') return { problems: validated.errors.map(problem) };
  const mistakes = validated.validationWarnings.filter(({ error }) => MISTAKES.test(error.message));
  const found = validated.validationErrors.length > 0 ? validated.validationErrors : mistakes;
  if (found.length > 0) return { problems: found.map(({ error }) => problem(error)) };

  const statements = parts.policies.map((part) => {
    const converted = policyToJson(part);
    if (converted.type === 'failure') throw new Error(converted.errors[0]?.message);
    return { effect: converted.json.effect === 'permit' ? 'PERMIT' : 'FORBID', est: converted.json };
  });
  // What is stored is the JSON form; it must load where decisions are made.
  const loaded = checkParsePolicySet({ staticPolicies: Object.fromEntries(statements.map(({ est }, index) => [`s${index}`, est])) });
  return loaded.type === 'failure' ? { problems: loaded.errors.map(problem) } : { statements };
}

parentPort?.postMessage(parse());
