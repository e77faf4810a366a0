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
export function uuidV7(milliseconds: number, hash: Uint8Array): string {
  const bytes = Buffer.alloc(16);
  bytes.writeUIntBE(milliseconds, 0, 6);
  bytes.set(hash.subarray(0, 10), 6);
  bytes.writeUInt8(0x70 | (bytes.readUInt8(6) & 0x0f), 6);
  bytes.writeUInt8(0x80 | (bytes.readUInt8(8) & 0x3f), 8);
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** Whether `text` is a UUID in its usual lower-case form. */
export const isUuid = (text: string): boolean => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text);
