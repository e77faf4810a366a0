import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

/** Files that hold the rules of a room: no adapter, no transport, no store (see the borders in .dependency-cruiser.cjs). */
const core = {
  files: ['src/{kernel,cedar,directory,audit,log,policy,tools,oversight,decisions,feed}/**/*.ts'],
  ignores: ['src/*/{graphql,rest,postgres,redis,wasm}.ts', 'src/*/{graphql,rest,postgres,redis,wasm}/**', 'src/kernel/ids.ts'],
};

const typescript = ['**/*.ts'];

export default defineConfig(
  { ignores: ['**/node_modules/', 'dist/', 'coverage/', '.data/', 'src/generated/'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  {
    rules: {
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-constant-binary-expression': 'error',
      'no-control-regex': 'error',
      'no-else-return': 'error',
      'no-empty': ['error', { allowEmptyCatch: true }],
      'no-fallthrough': 'error',
      'no-self-compare': 'error',
      'no-unreachable': 'error',
      'no-unsafe-finally': 'error',
      'no-var': 'error',
      'object-shorthand': 'error',
      'prefer-const': 'error',
      'no-restricted-syntax': ['error', ...bannedSyntax()],
    },
  },
  {
    files: ['**/*.{js,mjs,cjs}'],
    rules: { 'no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }] },
  },
  {
    files: typescript,
    extends: [tseslint.configs.base],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      // What the compiler can be talked out of.
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/ban-ts-comment': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/consistent-type-exports': 'error',
      // `import { type X }` would still load the module; borders count what is loaded.
      '@typescript-eslint/no-import-type-side-effects': 'error',
      '@typescript-eslint/array-type': ['error', { default: 'array' }],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],

      // What runs, but not when or how its author thought.
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: { arguments: false } }],
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/only-throw-error': 'error',
    },
  },
  {
    ...core,
    rules: {
      'no-console': 'error',
      'no-restricted-syntax': ['error', ...bannedSyntax(), ...bannedInCore()],
    },
  },
  {
    // Tools that read a default export leave no choice.
    files: ['*.config.{js,ts}', 'test/support/global-*.mjs'],
    rules: { 'no-restricted-syntax': 'off' },
  },
);

function bannedSyntax() {
  return [
    { selector: 'ExportDefaultDeclaration', message: 'Named exports only: one name for one thing, found by one search.' },
    { selector: 'TSEnumDeclaration', message: "Use a union of string literals ('ALLOW' | 'DENY')." },
    { selector: 'ExportAllDeclaration', message: 'Name what the door lets through; `export *` lets through what nobody meant.' },
    {
      selector: "CallExpression[callee.object.name='jest'][callee.property.name=/^(un)?mock|unstable_mockModule|doMock$/]",
      message: 'Write a small working double of the port instead.',
    },
    {
      selector: 'CatchClause > BlockStatement[body.length=0]',
      message: 'Catch only to add knowledge or to change form at a border.',
    },
    {
      selector: "CallExpression[callee.property.name='catch'] > ArrowFunctionExpression > BlockStatement[body.length=0]",
      message: 'Catch only to add knowledge or to change form at a border.',
    },
  ];
}

function bannedInCore() {
  return [
    {
      selector: "TSAsExpression:not([typeAnnotation.typeName.name='const'])",
      message: 'Core code proves its types. A bare `as` is for kernel/ids.ts and for the row mappers of an adapter.',
    },
    { selector: 'TSTypeAssertion', message: 'Core code proves its types.' },
    { selector: "MemberExpression[object.name='process'][property.name='env']", message: 'config.ts alone reads the environment.' },
    { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: 'Ask the Clock: rules are tested at any time.' },
    {
      selector: "CallExpression[callee.object.name='Date'][callee.property.name='now']",
      message: 'Ask the Clock: rules are tested at any time.',
    },
    { selector: "CallExpression[callee.object.name='Math'][callee.property.name='random']", message: 'Take randomness as a parameter.' },
  ];
}
