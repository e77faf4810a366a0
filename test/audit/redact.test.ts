import { describe, expect, it } from '@jest/globals';
import { MAX_REDACTED, redact } from '../../src/audit/secrets/redact.js';
import { FORMATS } from '../../src/audit/secrets/formats.js';
import { secretScanner } from '../../src/audit/secrets/rules.js';
import { findsSecret, redactText, type SecretScanner } from '../../src/audit/secrets/spans.js';
import type { Json } from '../../src/kernel/index.js';
import { leads, scanTokens } from '../../src/platform/secret-scanner.js';
import { aRandom, type Random } from '../support/random.js';
import { itWithData, linesOf } from '../support/shared-data.js';
import { aRandomJson } from '../kernel/random-json.js';
import { aJwt, aPrivateKey, hex, mixed, tokens } from './fake-secrets.js';

const scan = secretScanner({ leads, scan: scanTokens });
const cleanText = (text: string): string => redactText(scan, text);
const clean = (value: Json) => redact(scan, value, 'data');

describe('a token of a form of its own', () => {
  it('is there for every form that we know', () => {
    expect([...new Set(tokens.map(([rule]) => rule))]).toEqual(expect.arrayContaining(FORMATS.map(({ rule }) => rule)));
  });

  it.each(tokens)('%s is taken out of a text, and the rest stays', (rule, token) => {
    const [, name = ''] = /\[REDACTED:([a-z0-9-]+)\]/.exec(cleanText(token)) ?? [];

    expect(cleanText(token)).toBe(`[REDACTED:${name}]`);
    expect(cleanText(`Use ${token} for it`)).toBe(`Use [REDACTED:${name}] for it`);
    expect(cleanText(`["a","${token}","b"]`)).toBe(`["a","[REDACTED:${name}]","b"]`);
    expect(cleanText(String.raw`first\n${token}\nlast`)).toBe(String.raw`first\n[REDACTED:${name}]\nlast`);
    expect(cleanText(`https://host/x?a=${token}&b=1`)).toBe(`https://host/x?a=[REDACTED:${name}]&b=1`);
    expect([rule, findsSecret(scan, token)]).toEqual([rule, name]);
  });

  it.each(tokens)('%s is named by its rule', (rule, token) => {
    // The library calls two issuers by other names.
    const names = [rule, ...(rule === 'vault' ? ['hashicorp-vault'] : [])];

    expect(names.map((name) => `[REDACTED:${name}]`)).toContain(cleanText(token));
  });
});

describe('a secret in a text', () => {
  const token = mixed(24);

  it.each([
    // Assignments, as in shells, code, YAML, connection strings and addresses.
    ['password=hunter2', 'password=[REDACTED:password]'],
    ['password=letmein', 'password=[REDACTED:password]'],
    ['password = hunter2', 'password = [REDACTED:password]'],
    ['password: hunter2\nuser: bob', 'password: [REDACTED:password]\nuser: bob'],
    ['password: letmein\n', 'password: [REDACTED:password]\n'],
    ['export DB_PASSWORD="correct horse"', 'export DB_PASSWORD="[REDACTED:password]"'],
    [`const password = 'correct horse';`, `const password = '[REDACTED:password]';`],
    ['connect(user="bob", passwd=b"hunter2")', 'connect(user="bob", passwd=b"[REDACTED:password]")'],
    ['Server=db;User Id=sa;Password=ab=cd!;Encrypt=yes', 'Server=db;User Id=sa;Password=[REDACTED:password];Encrypt=yes'],
    [`AccountName=x;AccountKey=${mixed(86)}==;Suffix=core`, 'AccountName=x;AccountKey=[REDACTED:api-key];Suffix=core'],
    [`https://host/x?access_token=${token}&page=2`, 'https://host/x?access_token=[REDACTED:token]&page=2'],
    [`https://host/blob?sv=2024&sig=${token}%3D&se=1`, 'https://host/blob?sv=2024&sig=[REDACTED:url-signature]&se=1'],
    [`https://maps.host/api?key=${token}`, 'https://maps.host/api?key=[REDACTED:url-signature]'],
    [`aws_secret_access_key = ${mixed(40)}`, 'aws_secret_access_key = [REDACTED:api-key]'],
    [`Secret Access Key: ${mixed(40)}`, 'Secret Access Key: [REDACTED:api-key]'],
    [`TWILIO_AUTH_TOKEN=${hex(32)}`, 'TWILIO_AUTH_TOKEN=[REDACTED:token]'],
    [`//registry.host/:_authToken=${token}`, '//registry.host/:_authToken=[REDACTED:token]'],
    [`token: ${token}:rest1`, 'token: [REDACTED:token]'],
    ['<password>correct horse</password>', '<password>[REDACTED:password]</password>'],
    ['PIN: 1234', 'PIN: [REDACTED:pin]'],
    ['cvv: 123', 'cvv: [REDACTED:card-code]'],
    // JSON in a string, and in a string of that.
    ['{"password":"a\\"b","user":"bob"}', '{"password":"[REDACTED:password]","user":"bob"}'],
    [String.raw`{\"password\": \"hunter2\", \"user\": 1}`, String.raw`{\"password\": \"[REDACTED:password]\", \"user\": 1}`],
    [String.raw`{\\\"client_secret\\\":\\\"hunter2\\\"}`, String.raw`{\\\"client_secret\\\":\\\"[REDACTED:secret]\\\"}`],
    [String.raw`{\u0022password\u0022:\u0022hunter2\u0022}`, String.raw`{\u0022password\u0022:\u0022[REDACTED:password]\u0022}`],
    ['{"user":"bob","password":"hunt', '{"user":"bob","password":"[REDACTED:password]'],
    // Headers and addresses.
    [`Authorization: Bearer ${token}\nHost: x`, 'Authorization: Bearer [REDACTED:authorization]\nHost: x'],
    ['Authorization: Basic dXNlcjpwYXNz', 'Authorization: Basic [REDACTED:authorization]'],
    [`curl -H 'Authorization: token ${token}' url`, `curl -H 'Authorization: token [REDACTED:authorization]' url`],
    [`"Authorization": ["Bearer ${token}"]`, '"Authorization": ["[REDACTED:authorization]"]'],
    [`he sent Bearer ${token} to it`, 'he sent Bearer [REDACTED:bearer] to it'],
    ['Cookie: session=abc; theme=dark\r\nHost: x', 'Cookie: [REDACTED:cookie]\r\nHost: x'],
    ['https://bob:hunter2@host/path', 'https://bob:[REDACTED:url-password]@host/path'],
    ['postgres://bob:p@ss:word@db:5432/x', 'postgres://bob:[REDACTED:url-password]@db:5432/x'],
    ['redis://:abc@host', 'redis://:[REDACTED:url-password]@host'],
    [String.raw`"https:\/\/bob:hunter2@host\/"`, String.raw`"https:\/\/bob:[REDACTED:url-password]@host\/"`],
    [`git clone https://${mixed(40)}@host/x.git`, 'git clone https://[REDACTED:url-password]@host/x.git'],
    // Commands and prose.
    ['mysqldump --password hunter2 db', 'mysqldump --password [REDACTED:password] db'],
    [`deploy --api-token=${token} --dry`, 'deploy --api-token=[REDACTED:token] --dry'],
    ['curl -s -u bob:hunter2 https://host', 'curl -s -u bob:[REDACTED:password] https://host'],
    ['sshpass -p hunter2 ssh bob@host', 'sshpass -p [REDACTED:password] ssh bob@host'],
    ['mysql -uroot -phunter2 db', 'mysql -uroot -p[REDACTED:password] db'],
    ['redis-cli -a hunter2 ping', 'redis-cli -a [REDACTED:password] ping'],
    ['My password is hunter2.', 'My password is [REDACTED:password].'],
    ["change the password to '1a2b-3c4d'.", "change the password to '[REDACTED:password]'."],
  ])('%j becomes %j', (text, expected) => {
    expect(cleanText(text)).toBe(expected);
    expect(cleanText(expected)).toBe(expected);
  });

  it.each(['', 'RSA ', 'EC ', 'OPENSSH ', 'ENCRYPTED '])('a private key in PEM is taken whole: %s', (kind) => {
    expect(cleanText(`cat key\n${aPrivateKey(kind)}\nend`)).toBe('cat key\n[REDACTED:private-key]\nend');
    expect(cleanText(`"${aPrivateKey(kind, '\\n')}\\n"`)).toBe('"[REDACTED:private-key]\\n"');
    expect(cleanText(`${aPrivateKey(kind).slice(0, 200)}\nwas cut`)).toBe('[REDACTED:private-key]\nwas cut');
  });

  it('is taken out wherever it stands more than once', () => {
    expect(cleanText(`password=hunter2 ${aJwt()} https://a:b1@c password=hunter3`)).toBe(
      'password=[REDACTED:password] [REDACTED:jwt] https://a:[REDACTED:url-password]@c password=[REDACTED:password]',
    );
  });

  it('that follows right after another is found once that is gone', () => {
    const first = `gh${'p'}_${mixed(36)}`;

    expect(cleanText(`${first}.${first}`)).not.toContain(mixed(20));
  });
});

describe('a text that holds no secret', () => {
  it.each([
    'a94a8fe5ccb19ba61c4c0873d391e987982fbbd3',
    'commit 0b7c1f0e6f0c4d5e9a771f2e3d4c5b6aa94a8fe5 (HEAD -> main)',
    'sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
    `"integrity": "sha512-${mixed(86)}=="`,
    '0b7c1f0e-6f0c-4d5e-9a77-1f2e3d4c5b6a',
    `data:image/png;base64,iVBORw0KGgo${mixed(400)}==`,
    '/home/bob/projects/agent-governance/src/audit/secrets/formats.ts:12',
    'C:\\new\\token\\password.txt',
    'PWD=/home/bob',
    'pwd: ~/projects',
    'https://host:8080/path@x?b=c#d',
    'http://localhost:3000/@scope/package',
    'git@host:group/project.git',
    'https://host/?email=bob@example.com',
    'max_tokens: 100, prompt_token_count=12',
    '"token_type": "bearer", "expires_in": 3600',
    '"password_required": true, "secret_name": "db-credentials"',
    '"nextPageToken": "CAUQAA1234567890"',
    'password: must be at least 8 characters',
    'Password: string',
    'Invalid password: incorrect',
    'password: ${DB_PASSWORD}, token: {{ token }}, secret: <secret>',
    'PASSWORD=$PASSWORD TOKEN=$(cat token) KEY=%API_KEY%',
    'password: ********',
    'WHERE password = ? AND token = $1',
    'self.password = password; token=token',
    'password=config.db.password, secret=os.environ["SECRET"]',
    'const token = nextToken(source);',
    'function check(password: string, secret: NonSharedBuffer): boolean {',
    '"password": { "type": "string" }, "secret": []',
    'apiKey: OPENAI_API_KEY',
    'Authorization: required',
    'headers = {"Authorization": f"Bearer {token}"}',
    'Bearer authentication is used by task-management-service-for-everyone',
    'use --token to authenticate, --password-file for a file',
    'docker run -u 1000:1000 -p 8080:80 image',
    'primary_key: id12345678, cache-key-0123456789abcdef0123456789abcdef',
    'The password is required and the secret is out.',
    'secret: the name of the secret',
    '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----',
    'grep "BEGIN RSA PRIVATE KEY" -r .',
    '{"token":"Hello","logprob":-0.1}',
    'a figd_ and an xox and an SG. and an sk-',
  ])('stays as it is: %j', (text) => {
    expect(cleanText(text)).toBe(text);
    expect(findsSecret(scan, text)).toBeNull();
  });
});

describe('a value of JSON', () => {
  it('is the very same when it holds no secret', () => {
    const value = { tool_name: 'read_file', tool_args: { path: 'README.md', lines: [1, null, true], max_tokens: 100 } };

    expect(clean(value).value).toBe(value);
    expect(clean(value).redacted).toEqual([]);
  });

  it('names where a secret was, and shares what held none', () => {
    const value = {
      tool_args: { headers: { Authorization: `Bearer ${mixed(30)}`, Accept: '*/*' }, items: ['a', 'password=hunter2'] },
      other: { deep: ['text'] },
    };

    const { value: result, redacted } = clean(value);

    expect(result).toEqual({
      tool_args: { headers: { Authorization: '[REDACTED:authorization]', Accept: '*/*' }, items: ['a', 'password=[REDACTED:password]'] },
      other: { deep: ['text'] },
    });
    expect(redacted).toEqual(['data.tool_args.headers.Authorization', 'data.tool_args.items.1']);
    expect(Object(result).other).toBe(value.other);
  });

  it.each([
    ['password', 'new_password', 'password'],
    ['passWord', 'correct horse', 'password'],
    ['new-password', 'x', 'password'],
    ['DB_PASSWD', 'x', 'password'],
    ['pwd', 'x', 'password'],
    ['password2', 'x', 'password'],
    ['userPassword', 'x', 'password'],
    ['passphrase', 'x', 'password'],
    ['password_hash', 'x', 'password'],
    ['smtp_pass', 'x', 'password'],
    ['pin', '1234', 'pin'],
    ['otp_code', '123456', 'pin'],
    ['cvv', '123', 'card-code'],
    ['seedPhrase', 'one two three', 'recovery-code'],
    ['secret', 'x', 'secret'],
    ['clientSecret', 'x', 'secret'],
    ['SecretString', 'x y', 'secret'],
    ['apikey', 'x', 'api-key'],
    ['X-Api-Key', 'x', 'api-key'],
    ['secretAccessKey', 'x', 'api-key'],
    ['private_key', 'x', 'private-key'],
    ['authorization', 'Basic dXNlcjpwYXNz', 'authorization'],
    ['Proxy-Authorization', 'Negotiate x', 'authorization'],
    ['cookie', 'a=b', 'cookie'],
    ['access_token', 'x', 'token'],
    ['refreshToken', 'x', 'token'],
    ['ID_TOKEN', 'x', 'token'],
    ['PRIVATE-TOKEN', 'x', 'token'],
    ['token', 'abcd1234', 'token'],
    ['credentials', 'abcd1234', 'credential'],
  ])('%s announces a secret: %j', (name, value, rule) => {
    expect(clean({ [name]: value })).toEqual({ value: { [name]: `[REDACTED:${rule}]` }, redacted: [`data.${name}`] });
  });

  it.each<readonly [name: string, value: Json]>([
    ['max_tokens', 100],
    ['prompt_token_count', 12],
    ['completion_tokens', '812'],
    ['token_type', 'bearer'],
    ['token', 'Hello'],
    ['tokens', ['Hello', 'world']],
    ['next_page_token', mixed(30)],
    ['eosToken', '<|endoftext|>'],
    ['password', ''],
    ['password', null],
    ['password', true],
    ['password', '${DB_PASSWORD}'],
    ['password', '********'],
    ['password_required', 'always'],
    ['passwords', 3],
    ['secret_name', 'db-main'],
    ['secret', 'my-secret'],
    ['api_key', 'OPENAI_API_KEY'],
    ['pwd', '/home/bob'],
    ['pin', 13],
    ['pass', true],
    ['boarding_pass', 'A12345678'],
    ['authorization', 'granted'],
    ['credentials', 'same-origin'],
    ['public_key', mixed(40)],
    ['primary_key', 'id12345678'],
    ['key', mixed(30)],
    ['author', 'Bob'],
    ['authentication', 'oauth2'],
    ['compass', 'north'],
    ['tokenizer', 'cl100k_base'],
    ['secretary', 'Bob'],
  ])('%s announces none: %j', (name, value) => {
    const object = { [name]: value };

    expect(clean(object).value).toBe(object);
  });

  it('may have a number for a password or a PIN', () => {
    expect(clean({ password: 12345678, pin: 1234, cvv: 123, token: 12345678 }).value).toEqual({
      password: '[REDACTED:password]',
      pin: '[REDACTED:pin]',
      cvv: '[REDACTED:card-code]',
      token: 12345678,
    });
  });

  it('is looked through in lists, pairs and arguments', () => {
    expect(
      clean({
        passwords: ['a', ['b', { note: 'c' }]],
        headers: [{ name: 'Authorization', value: `Bearer ${mixed(30)}` }],
        env: [
          { Name: 'DB_PASSWORD', Value: 'x' },
          { name: 'LANG', value: 'C' },
        ],
        argv: ['login', '--password', 'x', '--verbose', 'y'],
      }),
    ).toEqual({
      value: {
        passwords: ['[REDACTED:password]', ['[REDACTED:password]', { note: 'c' }]],
        headers: [{ name: 'Authorization', value: '[REDACTED:authorization]' }],
        env: [
          { Name: 'DB_PASSWORD', Value: '[REDACTED:password]' },
          { name: 'LANG', value: 'C' },
        ],
        argv: ['login', '--password', '[REDACTED:password]', '--verbose', 'y'],
      },
      redacted: ['data.argv.2', 'data.env.0.Value', 'data.headers.0.value', 'data.passwords.0', 'data.passwords.1.0'],
    });
  });

  it('loses a secret in the name of a member, and no member by it', () => {
    const one = `gh${'p'}_${mixed(36)}`;
    const two = `gh${'o'}_${mixed(36)}`;

    const forwards = clean({ [one]: 1, [two]: 2, '[REDACTED:github]': 3 });
    const backwards = clean({ '[REDACTED:github]': 3, [two]: 2, [one]: 1 });

    expect(forwards.value).toEqual({ '[REDACTED:github]': 3, '[REDACTED:github] (2)': 2, '[REDACTED:github] (3)': 1 });
    expect(backwards.value).toEqual(forwards.value);
    expect(forwards.redacted).toEqual(['data.[REDACTED:github]']);
  });

  it('numbers names apart from those that already end in a number', () => {
    const [one = '', two = '', three = ''] = ['p', 'o', 'u'].map((kind) => `gh${kind}_${mixed(36)}`);

    expect(Object.keys(Object(clean({ [`${one} (2)`]: 1, [two]: 2, [three]: 3 }).value))).toHaveLength(3);
  });

  it('keeps a member named __proto__ a member', () => {
    const value: Json = JSON.parse('{"__proto__":{"password":"x"}}');

    expect(JSON.stringify(clean(value).value)).toBe('{"__proto__":{"password":"[REDACTED:password]"}}');
  });

  it('names a hundred places and counts the others', () => {
    const { redacted } = clean(Array.from({ length: 130 }, () => 'password=hunter2'));

    expect(redacted).toHaveLength(MAX_REDACTED + 1);
    expect(redacted.at(-1)).toBe('and 30 more');
    expect(redacted.slice(0, 3)).toEqual(['data.0', 'data.1', 'data.10']);
  });

  it('has no path longer than 300 characters, and no half of a character at its end', () => {
    const { redacted } = clean({ [`${'x'.repeat(293)}😀😀`]: 'password=hunter2' });

    expect(redacted).toEqual([`data.${'x'.repeat(293)}…`]);
  });

  it('may nest 64 levels', () => {
    const value: Json = JSON.parse(`${'['.repeat(64)}"password=hunter2"${']'.repeat(64)}`);

    expect(clean(value).redacted).toEqual([`data${'.0'.repeat(64)}`]);
  });
});

/** JSON as an agent may send it: names and texts that do and do not hold secrets, put together by chance. */
function aSuspiciousJson(random: Random, depth: number): Json {
  const pieces = [
    ...tokens.map(([, token]) => token),
    ...['password=', 'token: ', '"', "'", '\\"', '\\n', ' ', '://', ':', '@', '.', '-', 'x1', 'Authorization: Bearer ', '--password '],
    ...['[REDACTED:password]', '[REDACTED:', 'Cookie: a=', 'curl -u a:', '${X}', '<password>', '</', '{', '}', 'hunter2', 'api key: '],
  ];
  const text = () => Array.from({ length: random.below(6) }, () => random.pick(pieces)).join('');
  const names = ['password', 'token', 'cookies', 'value', 'name', 'authorization', 'path', 'pwd', 'pin'];
  if (depth === 0) return random.below(8) === 0 ? 1234 : text();
  if (random.below(3) === 0) return [text(), aSuspiciousJson(random, depth - 1), text()];
  return Object.fromEntries(
    Array.from({ length: 4 }, () => [random.below(4) === 0 ? text() : random.pick(names), aSuspiciousJson(random, depth - 1)]),
  );
}

describe('redaction', () => {
  it('of what was redacted changes nothing', () => {
    for (let seed = 1; seed <= 400; seed++) {
      const { value } = clean(aSuspiciousJson(aRandom(seed), 3));
      expect({ seed, ...clean(value) }).toEqual({ seed, value, redacted: [] });
    }
  });

  it('of the same value is the same, whatever was redacted in between', () => {
    const first = Array.from({ length: 100 }, (_, seed) => JSON.stringify(clean(aSuspiciousJson(aRandom(seed), 3))));
    const second = Array.from({ length: 100 }, (_, seed) => JSON.stringify(clean(aSuspiciousJson(aRandom(99 - seed), 3))));

    expect(second.reverse()).toEqual(first);
  });

  it('leaves any JSON without secrets alone', () => {
    for (let seed = 1; seed <= 300; seed++) {
      const value = aRandomJson(aRandom(seed), 4);
      expect({ seed, isSame: clean(value).value === value }).toEqual({ seed, isSame: true });
    }
  });

  it('asks a scanner three times at most, and withholds a text in which it never ends', () => {
    let asked = 0;
    const endless: SecretScanner = (text) => {
      asked++;
      const start = text.search(/[a-z]/);
      return start === -1 ? [] : [{ start, end: start + 1, rule: 'letter' }];
    };

    expect(redactText(endless, 'abcdef')).toBe('[REDACTED:too-many-secrets]');
    expect(asked).toBe(3);
  });

  it('covers what overlaps once, and names it by what begins first', () => {
    const overlapping: SecretScanner = (text) =>
      text === 'x123456789'
        ? [
            { start: 4, end: 8, rule: 'late' },
            { start: 2, end: 6, rule: 'early' },
            { start: 2, end: 3, rule: 'short' },
          ]
        : [];

    expect(redactText(overlapping, 'x123456789')).toBe('x1[REDACTED:early]89');
  });
});

describe('a text made to take long', () => {
  const million = (piece: string): string => piece.repeat(Math.ceil(1_000_000 / piece.length)).slice(0, 1_000_000);

  it.each(['figd_', 'password=hunter2 ', 'token: ', 'curl -u a:', '://a:b1@c ', `eyJ${mixed(8)}.aa.b `, 'Bearer a1b2c3d4 '])(
    'is withheld as a whole when it is one candidate after another: %s',
    (piece) => {
      expect(cleanText(million(piece))).toBe('[REDACTED:too-many-secrets]');
    },
  );

  it.each(['a', '\\', '"', '-', '_', 'eyJ', 'eyJ-', '://', 'sk-', '[REDACTED:', '\\n', ' -', 'A'.repeat(40) + '\n', '.'])(
    'is read in one go: %j',
    (piece) => {
      const text = million(piece);

      expect(cleanText(text)).toBe(text);
    },
  );

  it('keeps its ordinary secrets apart however long it is', () => {
    const filler = 'The quick brown fox jumps over the lazy dog.\n'.repeat(10_000);

    expect(cleanText(`${filler}password=hunter2\n${filler}`)).toBe(`${filler}password=[REDACTED:password]\n${filler}`);
  });
});

describe('recorded tool calls', () => {
  interface Call {
    readonly tool: string;
    readonly args: { readonly [name: string]: Json };
  }

  itWithData('agentdojo/calls.ndjson', 'lose their passwords and reset tokens, and nothing else', async (path) => {
    const calls = await linesOf<Call>(path);
    const touched = calls.flatMap(({ tool, args }) => clean(args).redacted.map((place) => `${tool} ${place}`));

    expect(calls.filter(({ tool, args }) => tool === 'update_password' && clean(args).redacted.length === 0)).toEqual([]);
    expect([...new Set(touched)].sort()).toEqual(['send_email data.body', 'update_password data.password']);
    expect(touched.length).toBeLessThan(calls.length / 100);
  });
});
