/** @type {import('jest').Config} */
export default {
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  // Two test files at a time: the machines that run this have two cores, and Postgres and Redis want some of them.
  maxWorkers: 2,
  testEnvironment: 'node',
  testTimeout: 15_000,

  extensionsToTreatAsEsm: ['.ts'],
  resolver: '<rootDir>/test/support/jest-resolver.cjs',
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { parser: { syntax: 'typescript' }, target: 'es2022' }, module: { type: 'es6' }, sourceMaps: 'inline' },
    ],
  },
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/.data/', '<rootDir>/local/.*/node_modules/'],
  watchPathIgnorePatterns: ['<rootDir>/.data/', '<rootDir>/src/generated/'],

  // One Postgres and one Redis for the whole run; see test/support/servers.ts.
  globalSetup: '<rootDir>/test/support/global-setup.mjs',
  globalTeardown: '<rootDir>/test/support/global-teardown.mjs',
};
