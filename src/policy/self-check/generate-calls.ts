import { ROLE_LEVELS } from '../../directory/index.js';
import { seeded, sha256Hex, type JsonObject, type Seeded } from '../../kernel/index.js';
import type { LineSeat } from '../cases/case-call.js';
import type { Statement } from '../policy.js';
import { entitiesNamed, scopeOf } from '../statement-scope.js';
import { EXECUTION_MODES, SURFACES, type NamespaceFacts, type ToolCall } from '../tool-call.js';
import { argumentPath, literalsIn, type ArgumentKind, type Literals } from './literals.js';

/** How many calls are made for one policy, unless it is said, and for one statement. */
const MAX_CALLS = 80;
const CALLS_A_STATEMENT = 16;
/** Of those, every so many are made without a look at whom the statement is about. */
const UNAIMED = 4;

/**
 * Calls that are aimed at statements: by those that the scope names and others, with values that conditions compare with and their
 * neighbours. Pure; the same for the same statements.
 *
 * @param most how many at most
 * @param line the namespace that the statements are attached to, with those above it
 */
export function generateCalls(statements: readonly Statement[], line: readonly LineSeat[], most = MAX_CALLS): readonly ToolCall[] {
  const random = seeded(Number.parseInt(sha256Hex(JSON.stringify(statements.map(({ est }) => est))).slice(0, 8), 16));
  const all = literalsIn(statements);
  const count = Math.min(most, statements.length * CALLS_A_STATEMENT);
  return Array.from({ length: count }, (_, index): ToolCall => {
    const statement = statements[index % statements.length];
    const isAimed = statement !== undefined && index % UNAIMED > 0;
    return new Drawing(random, isAimed ? literalsIn([statement]) : all, line).call(isAimed ? partiesOf(statement) : {});
  });
}

/** Whom a scope names, by type. */
function partiesOf({ est }: Statement): Readonly<Record<string, string>> {
  const { principal, resource } = scopeOf(est);
  return Object.fromEntries([...entitiesNamed(principal), ...entitiesNamed(resource)].map(({ type, id }) => [type, id]));
}

/** Where calls begin: a Monday. */
const MONDAY = Date.UTC(2026, 0, 5);
const [MINUTE, HOUR, DAY] = [60_000, 3_600_000, 86_400_000];

/** Draws the parts of one call. */
class Drawing {
  readonly #random: Seeded;
  readonly #literals: Literals;
  readonly #line: readonly LineSeat[];

  constructor(random: Seeded, literals: Literals, line: readonly LineSeat[]) {
    this.#random = random;
    this.#literals = literals;
    this.#line = line;
  }

  call(named: Readonly<Record<string, string>>): ToolCall {
    const userId = this.#id('User', 'a user');
    const tool = named['Tool'] ?? this.#id('Tool', 'a.server/a_tool');
    return {
      agent: {
        id: named['Agent'] ?? this.#id('Agent', 'an agent'),
        isKnown: this.#chance(4, 5),
        classes: including(named['AgentClass'], this.#some([...this.#literals.ids('AgentClass'), 'a class'])),
        trust: this.#number('principal.trust', 0, 50, 100),
        autonomous: this.#chance(1, 2),
        ownerId: this.#random.pick(null, userId, this.#id('User', 'another user')),
      },
      user: {
        id: userId,
        level: this.#number('context.role', ...Object.values(ROLE_LEVELS)),
        teams: this.#some([...this.#literals.ids('Team'), 'a team']),
      },
      projectLine: this.#projectLine(named),
      tool: {
        id: tool,
        server: named['Server'] ?? this.#random.pick<string | null>(null, tool.split('/')[0] ?? null, ...this.#literals.ids('Server')),
        isKnown: this.#chance(4, 5),
        isElsewhere: this.#chance(1, 10),
        actionType: this.#random.pick<ToolCall['tool']['actionType']>('READ', 'WRITE', 'DESTROY'),
        risk: this.#number('resource.risk', 1, 2, 3, 4),
        definitionDigest: this.#random.pick<string | null>(null, 'a digest', ...this.#literals.texts('resource.definitionDigest')),
        labels: including(named['ToolLabel'], this.#some([...this.#literals.ids('ToolLabel'), ...this.#literals.texts('resource.labels')])),
      },
      arguments: this.#arguments(),
      sessionId: this.#random.pick<string | null>(null, 'a run', ...this.#literals.texts('context.session')),
      session: {
        labels: this.#chance(1, 3) ? null : this.#some([...this.#literals.texts('context.sessionLabels'), 'a label']),
        counts: this.#chance(1, 3) ? null : this.#counts(),
      },
      circumstances: {
        environment: this.#text('context.environment', 'production', 'staging', 'elsewhere'),
        branch: this.#chance(1, 4) ? null : this.#text('context.branch', 'main'),
        isBranchProtected: this.#chance(1, 2),
        surface: this.#random.pick(...SURFACES),
        executionMode: this.#random.pick(...EXECUTION_MODES),
      },
      now: this.#moment(),
      timeZone: 'UTC',
      approval: this.#chance(2, 3)
        ? null
        : { level: this.#number('context.approval.level', 20, 30, 40, 50), count: this.#number('context.approval.count', 1, 2) },
      promises: this.#some(this.#literals.texts('context.promises')),
    };
  }

  /** What is compared with comes up twice as often as what is not. */
  #text(path: string, first: string, ...others: readonly string[]): string {
    const compared = this.#literals.texts(path);
    const text = this.#random.pick(first, ...others, ...compared, ...compared);
    // Its neighbours: what ends later, and what begins later.
    return this.#chance(3, 4) ? text : this.#random.pick(`${text}x`, [...text].slice(1).join(''));
  }

  #number(path: string, ...others: readonly number[]): number {
    const compared = this.#literals.numbers(path);
    return this.#random.pick<number>(others[0] ?? 0, ...others.slice(1), ...compared, ...compared);
  }

  #id(type: string, other: string): string {
    const named = this.#literals.ids(type);
    return this.#random.pick(other, ...named, ...named);
  }

  #chance(times: number, of: number): boolean {
    return this.#random.below(of) < times;
  }

  #some(items: readonly string[]): readonly string[] {
    return [...new Set(items)].filter(() => this.#chance(3, 5));
  }

  #counts() {
    const count = (name: string): number => Math.max(0, this.#number(`context.sessionCounts.${name}`, 0, 10));
    return { allowed: count('allowed'), asked: count('asked'), denied: count('denied'), failed: count('failed') };
  }

  #projectLine(named: Readonly<Record<string, string>>): readonly NamespaceFacts[] {
    const said = (seat: LineSeat): NamespaceFacts => ({
      ...{ id: seat.id, kind: seat.kind },
      dataClass: this.#random.pick<number | null>(null, 0, 1, 2, 3),
      isFrozen: this.#chance(1, 6),
    });
    const above = new Set(this.#line.map(({ id }) => id));
    if (this.#line.at(-1)?.kind === 'PROJECT') return this.#line.map(said);
    const group = named['Group'] ?? this.#random.pick<string | null>(null, 'a group', ...this.#literals.ids('Group'));
    const project = named['Project'] ?? this.#id('Project', 'a project');
    return [
      ...this.#line.map(said),
      ...(group === null || above.has(group) ? [] : [said({ id: group, kind: 'GROUP' })]),
      said({ id: above.has(project) ? 'a project' : project, kind: 'PROJECT' }),
    ];
  }

  #arguments(): JsonObject {
    // Two names for one thing: not all of it can be shown to policies.
    const unseen: JsonObject = this.#chance(1, 12) ? { a: { b: 1 }, 'a.b': 2 } : {};
    const read = (kind: ArgumentKind, value: (path: string) => JsonObject[string]): JsonObject =>
      Object.fromEntries(
        this.#literals
          .arguments(kind)
          .filter((name) => name !== '__proto__' && this.#chance(3, 4))
          .map((name) => [name, value(argumentPath(kind, name))]),
      );
    return {
      ...unseen,
      ...read('resource', (path) => this.#text(path, 'a text', '')),
      ...read('resource.numbers', (path) => this.#number(path, 0, 1)),
      ...read('resource.flags', () => this.#chance(1, 2)),
      ...read('resource.lists', (path) => [...this.#some([...this.#literals.texts(path), 'an entry'])]),
    };
  }

  #moment(): Date {
    const texts = [...this.#literals.texts('context.now'), ...this.#literals.texts('context.local.date')];
    const named = texts.flatMap((text) => [-1, 0, 1].map((more) => Date.parse(text) + more)).filter(isNear);
    const weekday = this.#number('context.local.weekday', 1, 3, 6, 7);
    const day = MONDAY + (between(weekday, 1, 7) - 1) * DAY;
    const start = this.#random.pick(day, ...named);
    if (start !== day && this.#chance(1, 2)) return new Date(start);
    const hour = between(this.#number('context.local.hour', 0, 9, 14, 23), 0, 23);
    const minute = between(this.#number('context.local.minute', 0, 30), 0, 59);
    return new Date(Math.floor(start / DAY) * DAY + hour * HOUR + minute * MINUTE);
  }
}

/** Whether a call could be made then: neither before there were any, nor when there will be none. */
const isNear = (time: number): boolean => time >= Date.UTC(1980, 0) && time < Date.UTC(2100, 0);

const between = (value: number, least: number, most: number): number => Math.min(most, Math.max(least, value));

const including = (first: string | undefined, others: readonly string[]): readonly string[] =>
  first === undefined ? others : [...new Set([first, ...others])];
