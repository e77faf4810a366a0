/** What the global set-up left for the tests under `name`. */
export function shared(name: 'TEST_POSTGRES_URL' | 'TEST_REDIS_URL'): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set: run the tests through \`npm test\`.`);
  return value;
}
