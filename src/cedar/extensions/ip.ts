import type { IpAddress } from '../value.js';

/**
 * An address of version 4 or 6, alone or with the prefix of a range (`10.0.0.0/8`); null when it is not written so. Version 4 inside
 * of version 6 (`::ffff:10.0.0.1`) is not taken, as in Cedar.
 */
export function parseIp(text: string): IpAddress | null {
  const slash = text.indexOf('/');
  const address = slash === -1 ? text : text.slice(0, slash);
  const prefix = slash === -1 ? null : text.slice(slash + 1);
  // No leading zeros; a length of more digits than the longest is not read at all.
  if (prefix !== null && !/^(?:0|[1-9][0-9]{0,2})$/.test(prefix)) return null;
  const four = parseFour(address);
  if (four !== null) return rangeOf(4, four, prefix === null ? 32 : Number(prefix));
  const six = parseSix(address);
  return six === null ? null : rangeOf(6, six, prefix === null ? 128 : Number(prefix));
}

function parseFour(text: string): bigint | null {
  const [, ...parts] = /^([0-9]{1,3})\.([0-9]{1,3})\.([0-9]{1,3})\.([0-9]{1,3})$/.exec(text) ?? [];
  if (parts.length === 0) return null;
  if (parts.some((part) => Number(part) > 255 || String(Number(part)) !== part)) return null;
  return parts.reduce((sum, part) => sum * 256n + BigInt(part), 0n);
}

function parseSix(text: string): bigint | null {
  const halves = text.split('::');
  if (halves.length > 2) return null;
  const [head = [], tail] = halves.map((half) => (half === '' ? [] : half.split(':')));
  const missing = 8 - head.length - (tail?.length ?? 0);
  // `::` stands for at least one group of zeros.
  if (tail === undefined ? missing !== 0 : missing < 1) return null;
  const groups = [...head, ...Array.from({ length: missing }, () => '0'), ...(tail ?? [])];
  if (groups.some((group) => !/^[0-9a-fA-F]{1,4}$/.test(group))) return null;
  return groups.reduce((sum, group) => sum * 65_536n + BigInt(`0x${group}`), 0n);
}

function rangeOf(version: 4 | 6, address: bigint, prefix: number): IpAddress | null {
  const bits = version === 4 ? 32 : 128;
  if (prefix > bits) return null;
  const host = (1n << BigInt(bits - prefix)) - 1n;
  const first = address - (address & host);
  const form = (value: bigint): number | bigint => (version === 4 ? Number(value) : value);
  return { kind: 'ip', version, address: form(address), prefix, first: form(first), last: form(first + host) };
}

/** Whether every address of `inner` is one of `outer`. */
export const isInRange = (inner: IpAddress, outer: IpAddress): boolean =>
  inner.version === outer.version && outer.first <= inner.first && inner.last <= outer.last;

/** Whether the address lies in one of these ranges. */
const inOneOf = (...texts: readonly string[]): ((ip: IpAddress) => boolean) => {
  const ranges = texts.map(parseIp);
  return (ip) => ranges.some((range) => range !== null && isInRange(ip, range));
};

/** Whether every address of the range is one by which a machine speaks to itself. */
export const isLoopback = inOneOf('127.0.0.0/8', '::1');

/** Whether every address of the range is one of a group. */
export const isMulticast = inOneOf('224.0.0.0/4', 'ff00::/8');
