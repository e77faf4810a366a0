// Cedar's integers have 64 bits, and cedar-wasm takes and gives JSON through the global JSON, whose numbers are doubles.

const MARK = '\ue000 long ';
const LONG_NUMBER = /"(?:\\.|[^"\\])*"|-?\d{16,}/g;

const { parse, stringify } = JSON;

/** `JSON.parse`, but an integer that a double does not hold becomes a BigInt. */
export function parseLossless(text: string): unknown {
  if (!/\d{16}/.test(text)) return parse(text);
  const marked = text.replace(LONG_NUMBER, (token) => (token.startsWith('"') ? token : `"${MARK}${token}"`));
  return parse(marked, (_key, value: unknown) =>
    typeof value === 'string' && value.startsWith(MARK) ? shortest(BigInt(value.slice(MARK.length))) : value,
  );
}

const shortest = (value: bigint): number | bigint => (Number.isSafeInteger(Number(value)) ? Number(value) : value);

/** `JSON.stringify`, but a BigInt is written as the integer that it is. */
export function stringifyLossless(value: unknown): string {
  const text = stringify(value, (_key, member: unknown) => (typeof member === 'bigint' ? `${MARK}${member}` : member));
  return text.includes(MARK) ? text.replace(new RegExp(`"${MARK}(-?\\d+)"`, 'g'), '$1') : text;
}

/** Does `work` while everybody's JSON is lossless: that of cedar-wasm, too. */
export function withLosslessJson<Result>(work: () => Result): Result {
  Object.assign(JSON, { parse: parseLossless, stringify: stringifyLossless });
  try {
    return work();
  } finally {
    Object.assign(JSON, { parse, stringify });
  }
}
