/**
 * Arrays in the form in which Postgres sends and takes them as binary values (`array_recv` in its src/backend/utils/adt/arrayfuncs.c): a
 * driver sends a Buffer as it is. A statement reads lists of values from them, one for each column, at a seventh of what reading the same
 * from one JSON text costs it.
 *
 * All are of one dimension; null is an element's null. The order is that of `values`.
 */
export const textArray = (values: readonly (string | null)[]): Buffer => binaryArray(TEXT, values, mostBytesOf, writeText);

/** Elements are UUIDs in their usual form, with hyphens. */
export const uuidArray = (values: readonly string[]): Buffer => binaryArray(UUID, values, () => UUID_BYTES, writeUuid);

export const byteaArray = (values: readonly (Uint8Array | null)[]): Buffer => binaryArray(BYTEA, values, lengthOf, writeBytes);

/** Elements are whole numbers of 32 bits. */
export const integerArray = (values: readonly number[]): Buffer => binaryArray(INTEGER, values, () => 4, writeInteger);

// What the types are called in Postgres's own catalogue, src/include/catalog/pg_type.dat.
const BYTEA = 17;
const INTEGER = 23;
const TEXT = 25;
const UUID = 2950;

const UUID_BYTES = 16;
/** Dimensions, whether there are nulls, the type; then of the one dimension how long it is and the number of its first. */
const HEADER_BYTES = 20;
const EMPTY_HEADER_BYTES = 12;
const LENGTH_BYTES = 4;
const NULL_LENGTH = -1;

function binaryArray<Value>(
  type: number,
  values: readonly (Value | null)[],
  mostBytes: (value: Value) => number,
  write: (buffer: Buffer, value: Value, at: number) => number,
): Buffer {
  let capacity = HEADER_BYTES;
  for (const value of values) capacity += LENGTH_BYTES + (value === null ? 0 : mostBytes(value));
  const buffer = Buffer.allocUnsafe(capacity);
  let hasNulls = 0;
  let at = HEADER_BYTES;
  for (const value of values) {
    if (value === null) hasNulls = 1;
    const length = value === null ? NULL_LENGTH : write(buffer, value, at + LENGTH_BYTES);
    at = buffer.writeInt32BE(length, at) + Math.max(length, 0);
  }
  buffer.writeInt32BE(values.length === 0 ? 0 : 1, 0);
  buffer.writeInt32BE(hasNulls, 4);
  buffer.writeInt32BE(type, 8);
  if (values.length === 0) return buffer.subarray(0, EMPTY_HEADER_BYTES);
  buffer.writeInt32BE(values.length, 12);
  buffer.writeInt32BE(1, 16);
  return buffer.subarray(0, at);
}

/** A UTF-16 code unit is at most three bytes of UTF-8. To count them exactly would be to read the text twice. */
const mostBytesOf = (text: string): number => 3 * text.length;
const lengthOf = (bytes: Uint8Array): number => bytes.length;

const writeText = (buffer: Buffer, text: string, at: number): number => buffer.write(text, at);
const writeUuid = (buffer: Buffer, uuid: string, at: number): number => buffer.write(uuid.replaceAll('-', ''), at, 'hex');
const writeInteger = (buffer: Buffer, value: number, at: number): number => buffer.writeInt32BE(value, at) - at;

function writeBytes(buffer: Buffer, bytes: Uint8Array, at: number): number {
  buffer.set(bytes, at);
  return bytes.length;
}
