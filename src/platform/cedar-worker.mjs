// Parses policy texts in an instance of cedar-wasm that is used for nothing else: a text that breaks the parser breaks this thread alone.
// Nothing is caught here: whatever throws ends the thread, and with it an instance that may have been left in any state.
import { parentPort } from 'node:worker_threads';
import { checkParsePolicySet, policySetTextToParts, policyToJson, validate } from '@cedar-policy/cedar-wasm/nodejs';

/**
 * @param {{ message: string, help: string | null, sourceLocations?: { start: number, end: number, label: string | null }[] }} error
 * @param {string | null} policy
 */
function problem(error, policy = null) {
  const place = error.sourceLocations?.[0];
  return {
    message: error.message,
    help: error.help ?? null,
    label: place?.label ?? null,
    byte: place?.start ?? null,
    endByte: place?.end ?? null,
    policy,
  };
}

/** @param {string} message */
const found = (message, help = '') => ({ message, help, label: null, byte: null, endByte: null, policy: null });

// Of what Cedar only warns of: a policy that can never match, whose author believes that it does, and characters that make a text look
// like another one. Several scripts in one string are not among them: file names are like that.
const UNMATCHABLE = /unable to find an applicable action/;
const IMPOSSIBLE = /policy is impossible/;
const DECEIVING = /BIDI control characters/;

/** @param {{ policyId: string, error: Parameters<typeof problem>[0] }[]} errors @param {{ policyId: string, error: Parameters<typeof problem>[0] }[]} warnings */
function problemsOf(errors, warnings) {
  const of = (pattern) => warnings.filter(({ error }) => pattern.test(error.message));
  const wrong = new Set(errors.map(({ policyId }) => policyId));
  const unmatchable = of(UNMATCHABLE).filter(({ policyId }) => !wrong.has(policyId));
  for (const { policyId } of unmatchable) wrong.add(policyId);
  // That a policy never matches follows from what else is wrong with it.
  const impossible = of(IMPOSSIBLE).filter(({ policyId }) => !wrong.has(policyId));
  return [...errors, ...unmatchable, ...impossible, ...of(DECEIVING)].map(({ policyId, error }) => problem(error, policyId));
}

/** @param {string} text @param {string} schema */
function parse(text, schema) {
  const parts = policySetTextToParts(text);
  if (parts.type === 'failure') return { problems: parts.errors.map((error) => problem(error)), parsed: [] };
  if (parts.policy_templates.length > 0)
    return { problems: [found('Templates (?principal, ?resource) are not supported.', 'Write the policy out.')], parsed: [] };
  if (parts.policies.length === 0)
    return { problems: [found('The text holds no policy.', 'Write at least one permit or forbid.')], parsed: [] };

  const statements = inOrder(parts.policies).map((part) => {
    const converted = policyToJson(part);
    if (converted.type === 'failure') throw new Error(converted.errors[0]?.message);
    return { effect: converted.json.effect === 'permit' ? 'PERMIT' : 'FORBID', est: converted.json };
  });
  const validated = validate({ schema, policies: { staticPolicies: text }, validationSettings: { mode: 'strict' } });
  const problems =
    validated.type === 'failure'
      ? validated.errors.map((error) => problem(error))
      : problemsOf(validated.validationErrors, validated.validationWarnings);
  if (problems.length > 0) return { problems, parsed: statements };

  // What is stored is the JSON form; it must load where decisions are made.
  const loaded = checkParsePolicySet({ staticPolicies: Object.fromEntries(statements.map(({ est }, index) => [`s${index}`, est])) });
  return loaded.type === 'failure' ? { problems: loaded.errors.map((error) => problem(error)), parsed: [] } : { statements };
}

/**
 * Parts come in the order of the names that Cedar gave them, as texts: policy10 before policy2.
 *
 * @param {string[]} parts
 */
function inOrder(parts) {
  const names = parts.map((_, index) => `policy${index}`).sort();
  return parts.map((_, index) => parts[names.indexOf(`policy${index}`)] ?? '');
}

parentPort?.on('message', ({ text, schema }) => parentPort?.postMessage(parse(text, schema)));
