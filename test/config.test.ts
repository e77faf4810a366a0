import { describe, expect, it } from '@jest/globals';
import { ConfigError, readConfig } from '../src/config.js';

const enough = {
  DATABASE_URL: 'postgres://governance@db.example/governance',
  JWKS_URL: 'https://id.example/.well-known/jwks.json',
  TOKEN_ISSUER: 'https://id.example',
};

describe('readConfig', () => {
  it('needs three variables and has a default for every other', () => {
    expect(readConfig(enough)).toEqual({
      database: { url: enough.DATABASE_URL, migrationUrl: enough.DATABASE_URL, poolSize: 16 },
      redisUrl: null,
      listen: { host: '127.0.0.1', port: 4001 },
      publicUrl: null,
      identity: {
        jwksUrl: enough.JWKS_URL,
        issuer: enough.TOKEN_ISSUER,
        audience: 'agent-governance',
        routerAudience: 'platform',
        routerSecret: null,
      },
      audit: { maxAgeDays: 400, maxAheadSeconds: 300, queueMaxEvents: 20_000, orphanAfterSeconds: 900 },
      decisions: { timeoutMilliseconds: 5_000 },
      feed: { heartbeatSeconds: 15 },
      sequencer: true,
      policyEngine: 'compiled',
      decisionSelfCheckRate: 1_000,
      policyBaseline: true,
      retention: { intervalMinutes: 60 },
      introspection: true,
      logLevel: 'info',
    });
  });

  it('names every variable that is missing, at once', () => {
    expect(() => readConfig({})).toThrow(
      new ConfigError('The environment is not usable.\n  DATABASE_URL: is missing\n  JWKS_URL: is missing\n  TOKEN_ISSUER: is missing'),
    );
  });

  it('tells the audience of the router’s tokens from its own', () => {
    expect(messageOf({ ...enough, TOKEN_AUDIENCE: 'a', ROUTER_TOKEN_AUDIENCE: 'a' })).toMatch(/ROUTER_TOKEN_AUDIENCE: must differ/);
  });

  it('takes an empty variable for a missing one, as shells and compose files leave them', () => {
    expect(messageOf({ ...enough, TOKEN_ISSUER: '', ROUTER_SECRET: '' })).toBe(
      'The environment is not usable.\n  TOKEN_ISSUER: is missing',
    );
  });

  it('names every variable that is wrong with what would be right, and never repeats a value', () => {
    const values = {
      DATABASE_URL: 'mysql://root:hunter2@db',
      JWKS_URL: 'ftp://hunter2',
      TOKEN_ISSUER: 'https://id.example',
      REDIS_URL: 'hunter2',
      ROUTER_SECRET: 'hunter2',
      PUBLIC_URL: 'https://governance.example?hunter2',
      DATABASE_POOL_SIZE: '1',
      PORT: 'hunter2',
      AUDIT_MAX_AGE_DAYS: '0',
      AUDIT_MAX_AHEAD_SECONDS: '-1',
      AUDIT_QUEUE_MAX_EVENTS: '499',
      FEED_HEARTBEAT_SECONDS: '1.5',
      SEQUENCER: 'hunter2',
      POLICY_ENGINE: 'hunter2',
      POLICY_BASELINE: 'hunter2',
      GRAPHQL_INTROSPECTION: 'hunter2',
      LOG_LEVEL: 'hunter2',
    };

    const message = messageOf(values);

    const { TOKEN_ISSUER: _right, ...wrong } = values;
    expect(
      message
        .split('\n')
        .slice(1)
        .map((line) => line.trim().split(':')[0])
        .sort(),
    ).toEqual(Object.keys(wrong).sort());
    expect(message).not.toContain('hunter2');
    expect(message).toContain('ROUTER_SECRET: must have at least 16 characters');
    expect(message).toContain('DATABASE_URL: must be a URL that begins with postgres:// or postgresql://');
  });

  it.each([
    ['https://governance.example', 'https://governance.example'],
    ['https://governance.example/', 'https://governance.example'],
    ['http://Proxy.example:8080/governance//', 'http://proxy.example:8080/governance'],
  ])('takes PUBLIC_URL=%s for %s', (given, wanted) => {
    expect(readConfig({ ...enough, PUBLIC_URL: given }).publicUrl).toBe(wanted);
  });

  it.each(['governance.example', 'ftp://governance.example', 'https://governance.example#top', 'https://ada:pass@governance.example'])(
    'refuses PUBLIC_URL=%s',
    (given) => {
      expect(messageOf({ ...enough, PUBLIC_URL: given })).toMatch(/^The environment is not usable\.\n {2}PUBLIC_URL: must /);
    },
  );

  it.each([
    ['PORT', '0x10'],
    ['PORT', '65536'],
    ['PORT', ' '],
    ['PORT', 'true'],
    ['AUDIT_MAX_AGE_DAYS', '1e2'],
    ['DATABASE_POOL_SIZE', '16 '],
  ])('refuses %s=%j: a number is written in digits', (name, value) => {
    expect(messageOf({ ...enough, [name]: value })).toMatch(new RegExp(`^The environment is not usable\\.\\n  ${name}: `));
  });
});

function messageOf(environment: Readonly<Record<string, string>>): string {
  try {
    readConfig(environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  throw new Error('The environment was accepted.');
}
