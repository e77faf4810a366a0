import { z } from 'zod';

const wholeNumber = (least: number, most: number) =>
  z
    .string()
    .refine(
      (text) => /^\d+$/.test(text) && Number(text) >= least && Number(text) <= most,
      `must be a whole number from ${least} to ${most}, in digits`,
    )
    .transform(Number);
const url = (...protocols: readonly string[]) =>
  z
    .string()
    .refine(
      (text) => URL.canParse(text) && protocols.includes(new URL(text).protocol.slice(0, -1)),
      `must be a URL that begins with ${protocols.map((protocol) => `${protocol}://`).join(' or ')}`,
    );

/** Where something is reached, without a slash at its end, so that paths can be added. */
const baseUrl = url('http', 'https')
  .refine((text) => !/[?#]|^[^/]*\/\/[^/]*@/.test(text), 'must have no query, fragment or user')
  .transform((text) => new URL(text).href.replace(/\/+$/, ''));

const Environment = z.object({
  DATABASE_URL: url('postgres', 'postgresql'),
  MIGRATION_DATABASE_URL: url('postgres', 'postgresql').optional(),
  DATABASE_POOL_SIZE: wholeNumber(2, 500).default(16),
  REDIS_URL: url('redis', 'rediss').optional(),
  HOST: z.string().min(1).default('127.0.0.1'),
  PORT: wholeNumber(0, 65_535).default(4001),
  PUBLIC_URL: baseUrl.optional(),
  JWKS_URL: url('http', 'https'),
  TOKEN_ISSUER: z.string().min(1),
  TOKEN_AUDIENCE: z.string().min(1).default('agent-governance'),
  ROUTER_TOKEN_AUDIENCE: z.string().min(1).default('platform'),
  ROUTER_SECRET: z.string().min(16, 'must have at least 16 characters').optional(),
  AUDIT_MAX_AGE_DAYS: wholeNumber(1, 3_650).default(400),
  AUDIT_MAX_AHEAD_SECONDS: wholeNumber(0, 86_400).default(300),
  AUDIT_QUEUE_MAX_EVENTS: wholeNumber(500, 1_000_000).default(20_000),
  AUDIT_ORPHAN_AFTER_SECONDS: wholeNumber(1, 31_536_000).default(900),
  DECISION_TIMEOUT_MS: wholeNumber(100, 60_000).default(5_000),
  FEED_HEARTBEAT_SECONDS: wholeNumber(1, 3_600).default(15),
  SEQUENCER: z.enum(['on', 'off']).default('on'),
  RETENTION_INTERVAL_MINUTES: wholeNumber(1, 10_080).default(60),
  POLICY_ENGINE: z.enum(['compiled', 'wasm', 'both']).default('compiled'),
  DECISION_SELF_CHECK_RATE: wholeNumber(0, 1_000_000).default(1_000),
  POLICY_BASELINE: z.enum(['on', 'off']).default('on'),
  GRAPHQL_INTROSPECTION: z.enum(['on', 'off']).default('on'),
  LOG_LEVEL: z.enum(['silent', 'error', 'warn', 'info', 'debug']).default('info'),
});

/** How this process runs. Every variable is described in docs/operators.md. */
export interface Config {
  readonly database: {
    readonly url: string;
    /** The same database, as the owner of its tables. */
    readonly migrationUrl: string;
    readonly poolSize: number;
  };
  /** Null: this process works alone, on in-memory doubles. */
  readonly redisUrl: string | null;
  readonly listen: { readonly host: string; readonly port: number };
  /** Where callers reach this service, without a slash at its end; null: each where their request says. */
  readonly publicUrl: string | null;
  readonly identity: IdentityConfig;
  readonly audit: {
    readonly maxAgeDays: number;
    readonly maxAheadSeconds: number;
    readonly queueMaxEvents: number;
    /** After how many seconds an allowed call that reported no outcome counts as an orphan. */
    readonly orphanAfterSeconds: number;
  };
  /** How long the answer to a question may take. */
  readonly decisions: { readonly timeoutMilliseconds: number };
  readonly feed: { readonly heartbeatSeconds: number };
  /** Whether this process is a candidate for giving events their positions. */
  readonly sequencer: boolean;
  readonly retention: { readonly intervalMinutes: number };
  readonly policyEngine: 'compiled' | 'wasm' | 'both';
  /** One of so many decisions is made again by cedar-wasm, after its answer; 0: none is. */
  readonly decisionSelfCheckRate: number;
  /** Whether an organization that becomes known starts with the baseline policy. */
  readonly policyBaseline: boolean;
  readonly introspection: boolean;
  readonly logLevel: 'silent' | 'error' | 'warn' | 'info' | 'debug';
}

export interface IdentityConfig {
  readonly jwksUrl: string;
  readonly issuer: string;
  /** Audience of tokens that this service takes from anybody. */
  readonly audience: string;
  /** Audience of tokens that it takes behind the router's secret. */
  readonly routerAudience: string;
  /** Null: nobody is the router. */
  readonly routerSecret: string | null;
}

/** The environment is not usable; the message names every variable at fault. */
export class ConfigError extends Error {}

/**
 * Reads the environment once.
 *
 * @throws ConfigError naming every variable that is missing or wrong, and what would be right. Values are not repeated: they
 * may be secrets.
 */
export function readConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== undefined && value !== ''));
  const parsed = Environment.safeParse(given);
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => {
      const name = issue.path.join('.');
      return `${name}: ${name in given ? issue.message : 'is missing'}`;
    });
    throw new ConfigError(`The environment is not usable.\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
  }
  const { TOKEN_AUDIENCE, ROUTER_TOKEN_AUDIENCE } = parsed.data;
  if (TOKEN_AUDIENCE === ROUTER_TOKEN_AUDIENCE)
    throw new ConfigError(
      'The environment is not usable.\n  ROUTER_TOKEN_AUDIENCE: must differ from TOKEN_AUDIENCE, or its tokens would need no router',
    );
  return toConfig(parsed.data);
}

function toConfig(env: z.infer<typeof Environment>): Config {
  return {
    database: { url: env.DATABASE_URL, migrationUrl: env.MIGRATION_DATABASE_URL ?? env.DATABASE_URL, poolSize: env.DATABASE_POOL_SIZE },
    redisUrl: env.REDIS_URL ?? null,
    listen: { host: env.HOST, port: env.PORT },
    publicUrl: env.PUBLIC_URL ?? null,
    identity: {
      jwksUrl: env.JWKS_URL,
      issuer: env.TOKEN_ISSUER,
      audience: env.TOKEN_AUDIENCE,
      routerAudience: env.ROUTER_TOKEN_AUDIENCE,
      routerSecret: env.ROUTER_SECRET ?? null,
    },
    audit: {
      maxAgeDays: env.AUDIT_MAX_AGE_DAYS,
      maxAheadSeconds: env.AUDIT_MAX_AHEAD_SECONDS,
      queueMaxEvents: env.AUDIT_QUEUE_MAX_EVENTS,
      orphanAfterSeconds: env.AUDIT_ORPHAN_AFTER_SECONDS,
    },
    decisions: { timeoutMilliseconds: env.DECISION_TIMEOUT_MS },
    feed: { heartbeatSeconds: env.FEED_HEARTBEAT_SECONDS },
    sequencer: env.SEQUENCER === 'on',
    retention: { intervalMinutes: env.RETENTION_INTERVAL_MINUTES },
    policyEngine: env.POLICY_ENGINE,
    decisionSelfCheckRate: env.DECISION_SELF_CHECK_RATE,
    policyBaseline: env.POLICY_BASELINE === 'on',
    introspection: env.GRAPHQL_INTROSPECTION === 'on',
    logLevel: env.LOG_LEVEL,
  };
}
