import type { Json } from '../kernel/index.js';
import { annotationProblems, annotationsOf, type Annotations } from './annotations.js';
import { childrenOf, conditionsOf, hasOf, listOf, literalOf, operandsOf, pathOf } from './est.js';
import { placeOf } from './guard.js';
import { nearestWord } from './nearest-word.js';
import type { PolicyProblem, Statement } from './policy.js';
import { attributesAt } from './schema-words.js';
import { statementTokens, type Token } from './tokens.js';

/**
 * What is wrong with a text that Cedar can parse, beyond what Cedar itself says: annotations that are not of the vocabulary, and
 * approvals and promises read anywhere but where they can only make a forbid give way. Pure.
 *
 * A decision is tried as if it were approved, and as if promises were made, and what comes out is an answer only as long as an
 * approval or a promise can never turn "allowed" to "denied", nor permit anything: so they are read in the `unless` of a forbid
 * alone, joined by && and ||, and compared in one way each.
 *
 * @param statements those of the text, in its order
 */
export function lintProblems(text: string, statements: readonly Statement[]): readonly PolicyProblem[] {
  const tokens = statementTokens(text);
  const linted = statements.map((statement, index) => new StatementLint(text, statement, tokens[index] ?? []));
  const names = linted.map(({ annotations }) => annotations.id);
  return linted.flatMap((lint, index) => {
    const isTaken = names[index] != null && names.indexOf(names[index]) < index;
    return [...(isTaken ? [lint.nameTaken()] : []), ...lint.problems()];
  });
}

const FACTS = ['approval', 'promises'] as const;
type Fact = (typeof FACTS)[number];
/** What a condition may hold that is of interest here: a fact, or the context as a whole, in which both are. */
type Mention = Fact | 'context';

const RIGHT: Readonly<Record<Fact, string>> = {
  approval:
    'Approvals are asked for in the unless of a forbid, and in this form: context has approval && context.approval.level >= 40, with && context.approval.count >= 2 where more than one must approve.',
  promises: 'Promises are asked for in the unless of a forbid, and in this form: context.promises.contains("redact:pii").',
};

/** What an approval is at least: more than that has to be asked for. */
const NO_DEMAND = { level: 0, count: 1 } as const;

/** What the unless of a forbid asks for, each with where it stands. */
type Asked =
  | { readonly kind: 'has'; readonly node: Json }
  | { readonly kind: 'level' | 'count'; readonly node: Json; readonly least: number }
  | { readonly kind: 'obligation'; readonly node: Json; readonly name: string };

class StatementLint {
  readonly annotations: Annotations;
  readonly #text: string;
  readonly #statement: Statement;
  readonly #tokens: readonly Token[];
  /** By the node of the JSON form: where it stands in the text. */
  readonly #places = new Map<Json, number>();
  readonly #conditions: readonly { readonly kind: string; readonly body: Json }[];

  constructor(text: string, statement: Statement, tokens: readonly Token[]) {
    this.#text = text;
    this.#statement = statement;
    this.#tokens = tokens;
    this.annotations = annotationsOf(statement.est);
    this.#conditions = conditionsOf(statement.est);
    this.#placeMentions();
  }

  nameTaken(): PolicyProblem {
    return this.#at(
      this.#annotationAt('id'),
      `Two statements of the text have the name ${JSON.stringify(this.annotations.id)}.`,
      'Give each its own @id.',
    );
  }

  problems(): readonly PolicyProblem[] {
    const annotations = annotationProblems(this.#statement.est, this.#statement.effect, nearestWord);
    const asked: Asked[] = [];
    const misplaced = this.#conditions.flatMap(({ kind, body }) =>
      kind === 'unless' && this.#statement.effect === 'FORBID' ? this.#unlessProblems(body, asked) : this.#mentionsIn(body),
    );
    const isWell = (name: string): boolean => annotations.every((problem) => problem.name !== name);
    return [
      ...annotations.map(({ name, message, help }) => this.#at(this.#annotationAt(name), message, help)),
      ...this.#conditions.flatMap(({ body }) => this.#unknownAttributes(body)),
      ...misplaced,
      // What an annotation is to match is not looked for where it cannot be read, or where its counterpart cannot.
      ...(this.#statement.effect === 'FORBID' && misplaced.length === 0
        ? [...(isWell('approval') ? this.#approvalProblems(asked) : []), ...(isWell('oblige') ? this.#obligationProblems(asked) : [])]
        : []),
    ];
  }

  /** The unless of a forbid: what it asks for goes to `asked`, the rest that speaks of approvals or promises is a problem. */
  #unlessProblems(node: Json, asked: Asked[]): readonly PolicyProblem[] {
    const joined = operandsOf(node, '&&') ?? operandsOf(node, '||');
    if (joined !== null) return joined.flatMap((operand) => this.#unlessProblems(operand, asked));
    const found = askedIn(node);
    if (found.length === 0) return this.#mentionsIn(node);
    asked.push(...found);
    return [];
  }

  /** Every mention of what must not be mentioned there. */
  #mentionsIn(node: Json): readonly PolicyProblem[] {
    return [...mentionsOf(node)].map(([mention, at]) =>
      mention === 'context'
        ? this.#at(
            this.#places.get(at),
            'The context as a whole cannot be used: it holds the approval and the promises.',
            'Name the attribute that you mean: context.role.',
          )
        : this.#at(
            this.#places.get(at),
            `context.${mention} cannot be asked for here, or not in this way: it must only ever lift a forbid.`,
            RIGHT[mention],
          ),
    );
  }

  #approvalProblems(asked: readonly Asked[]): readonly PolicyProblem[] {
    const { approval } = this.annotations;
    const mentions = asked.filter(({ kind }) => kind !== 'obligation');
    const first = mentions[0];
    if (approval === null) {
      if (first === undefined) return [];
      return [
        this.#at(
          this.#placeOf(first.node),
          'This forbid gives way to an approval, and does not say whose.',
          'Write @approval("maintainer"), or another role, above it.',
        ),
      ];
    }
    const clause = `context has approval && context.approval.level >= ${approval.level}${approval.count > 1 ? ` && context.approval.count >= ${approval.count}` : ''}`;
    const missing = (['level', 'count'] as const).filter(
      (kind) => approval[kind] > NO_DEMAND[kind] && asked.every((one) => one.kind !== kind),
    );
    if (missing.length > 0) {
      const message = `@approval asks for an approval that no unless of this forbid takes: nothing there reads its ${missing.join(' and its ')}.`;
      return [this.#at(this.#annotationAt('approval'), message, `Add: unless { ${clause} }`)];
    }
    return asked.flatMap((one) => {
      if (!('least' in one) || one.least === approval[one.kind]) return [];
      const message = `The clause asks for the ${one.kind} ${one.least}, @approval for ${approval[one.kind]}.`;
      return [this.#at(this.#placeOf(one.node), message, `Make them alike: ${clause}`)];
    });
  }

  #obligationProblems(asked: readonly Asked[]): readonly PolicyProblem[] {
    const said = this.annotations.obligations;
    const read = asked.flatMap((one) => (one.kind === 'obligation' ? [one] : []));
    const unread = said.filter((name) => read.every((one) => one.name !== name));
    const unsaid = read.filter(({ name }) => !said.includes(name));
    return [
      ...unread.map((name) =>
        this.#at(
          this.#annotationAt('oblige'),
          `@oblige names ${JSON.stringify(name)}, which no unless of this forbid asks for.`,
          `Add: unless { context.promises.contains(${JSON.stringify(name)}) }`,
        ),
      ),
      ...unsaid.map(({ node, name }) =>
        this.#at(
          this.#placeOf(node),
          `This forbid gives way to the promise ${JSON.stringify(name)}, and no annotation says so.`,
          `Write @oblige(${JSON.stringify([...said, name].join(', '))}) above it.`,
        ),
      ),
    ];
  }

  /** Cedar takes `has` with any name, and it is false then: a forbid with a misspelt one would forbid nothing. */
  #unknownAttributes(node: Json): readonly PolicyProblem[] {
    return hasIn(node).flatMap(({ path, name }) => {
      const known = attributesAt(path);
      if (known === null || known.has(name)) return [];
      const meant = nearestWord(name, [...known.keys()]);
      const variable = path.join('.');
      return [
        this.#at(
          this.#wordAt(name),
          `${variable} never has an attribute “${name}”.`,
          meant === null ? `It has: ${[...known.keys()].join(', ')}.` : `Did you mean “${variable} has ${meant}”?`,
        ),
      ];
    });
  }

  #at(index: number | undefined, message: string, help: string): PolicyProblem {
    return { message, help, ...placeOf(this.#text, index ?? this.#tokens[0]?.at ?? 0) };
  }

  /** Where the first mention in a comparison stands. */
  #placeOf(node: Json): number | undefined {
    const [first] = mentionsOf(node);
    return first === undefined ? undefined : this.#places.get(first[1]);
  }

  /** Where `@name` stands. */
  #annotationAt(name: string): number | undefined {
    return this.#tokens.find((token, index) => token.text === '@' && this.#tokens[index + 1]?.text === name)?.at;
  }

  #wordAt(name: string): number | undefined {
    return this.#tokens.find(({ text, kind }) => (kind === 'word' ? text : text.slice(1, -1)) === name)?.at;
  }

  /** The mentions in the JSON form and in the text come in the same order. */
  #placeMentions(): void {
    const inText = mentionsAmong(this.#tokens);
    let index = 0;
    for (const { body } of this.#conditions) {
      for (const [, node] of mentionsOf(body)) {
        const place = inText[index];
        if (place !== undefined) this.#places.set(node, place);
        index += 1;
      }
    }
  }
}

/** What a comparison asks for, when it is one of the forms that can only lift a forbid; nothing otherwise. */
function askedIn(node: Json): readonly Asked[] {
  const has = hasOf(node);
  if (has?.path.join('.') === 'context' && has.name === 'approval') return [{ kind: 'has', node }];
  const [left, right] = operandsOf(node, '>=') ?? [];
  const member = /^context\.approval\.(level|count)$/.exec(pathOf(left ?? null)?.join('.') ?? '')?.[1];
  const least = literalOf(right ?? null);
  if ((member === 'level' || member === 'count') && typeof least === 'number') return [{ kind: member, node, least }];
  const [holder, name] = operandsOf(node, 'contains') ?? operandsOf(node, 'containsAll') ?? [];
  if (pathOf(holder ?? null)?.join('.') !== 'context.promises') return [];
  const names = listOf(name ?? null)?.map(literalOf) ?? [literalOf(name ?? null)];
  const isListed = (one: Json): one is string => typeof one === 'string';
  return names.length > 0 && names.every(isListed) ? names.map((one) => ({ kind: 'obligation', node, name: one })) : [];
}

/** Every mention in the order of the text, with its node. */
function* mentionsOf(node: Json): Generator<readonly [Mention, Json]> {
  const mention = mentionAt(node);
  if (mention !== null) yield [mention, node];
  if (mention !== null || isAttributeOfContext(node)) return;
  for (const child of childrenOf(node)) yield* mentionsOf(child);
}

function mentionAt(node: Json): Mention | null {
  const path = pathOf(node);
  const named = path?.[0] === 'context' && path.length === 2 ? path[1] : undefined;
  const has = hasOf(node);
  const asked = has?.path.join('.') === 'context' ? has.name : undefined;
  const fact = FACTS.find((one) => one === named || one === asked);
  if (fact !== undefined) return fact;
  return path?.length === 1 && path[0] === 'context' ? 'context' : null;
}

const isAttributeOfContext = (node: Json): boolean =>
  (pathOf(node)?.[0] === 'context' && pathOf(node)?.length === 2) || hasOf(node)?.path.join('.') === 'context';

const hasIn = (node: Json): readonly { readonly path: readonly string[]; readonly name: string }[] => {
  const own = hasOf(node);
  return [...(own === null ? [] : [own]), ...childrenOf(node).flatMap(hasIn)];
};

/** Where tokens mention the approval, the promises or the context as a whole. */
function mentionsAmong(tokens: readonly Token[]): readonly number[] {
  const body = tokens.findIndex(({ text }) => text === 'when' || text === 'unless');
  return tokens.flatMap(({ text, kind, at }, index) => {
    if (kind !== 'word' || text !== 'context' || index < body || body < 0) return [];
    const [next, name] = [tokens[index + 1]?.text ?? '', tokens[index + 2]?.text ?? ''];
    if (!['.', '[', 'has'].includes(next)) return tokens[index - 1]?.text === '.' ? [] : [at];
    return FACTS.some((fact) => fact === name || `"${fact}"` === name) ? [at] : [];
  });
}
