declare const brand: unique symbol;

/** The platform's id of an organization; every port method takes it first. */
export type OrganizationId = string & { readonly [brand]: 'OrganizationId' };

/** The platform's id of a user, human or service account. */
export type UserId = string & { readonly [brand]: 'UserId' };

export const organizationId = (text: string): OrganizationId => text as OrganizationId;
export const userId = (text: string): UserId => text as UserId;

/**
 * A UUIDv7 (RFC 9562, section 5.7) that holds `milliseconds` since 1970 and, in place of random bits, 74 of the first 80 bits
 * of `hash` (version and variant take the place of the others), so that the same moment and the same hash give the same id.
 *
 * @param milliseconds a whole number from 0 to 2^48 - 1
 * @param hash at least 10 bytes
 */
export function uuidV7(milliseconds: number, hash: Buffer): string {
  if (!(milliseconds >= 0 && milliseconds < 2 ** 48)) throw new RangeError(`The time ${milliseconds} is out of range.`);
  const time = milliseconds.toString(16).padStart(12, '0');
  const hex = hash.toString('hex', 0, 10);
  const variant = VARIANT[Number.parseInt(hex.charAt(4), 16) & 3] ?? '';
  return `${time.slice(0, 8)}-${time.slice(8)}-7${hex.slice(1, 4)}-${variant}${hex.slice(5, 8)}-${hex.slice(8)}`;
}

/** The first of the digits that hold the variant, by the two bits beside it. */
const VARIANT = '89ab';

/** Whether `text` is a UUID in its usual lower-case form. */
export const isUuid = (text: string): boolean => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text);
