import tseslint from 'typescript-eslint';

const pure = ['fs', 'net', 'http', 'https', 'child_process', 'crypto', 'os', 'path', 'stream', 'worker_threads', 'process', 'timers'];
const impure = {
  paths: [...pure, ...pure.map((name) => `node:${name}`)].map((name) => ({ name, message: 'Workflows and domain are pure: do this in an activity.' })),
  patterns: [
    { group: ['node:*'], message: 'Workflows and domain are pure: do this in an activity.' },
    { group: ['pg', '@aws-sdk/*', 'fastify', 'nodemailer', '@duckdb/*', '@tensorflow/*', '@temporalio/client', '@temporalio/worker', '@temporalio/activity'], message: 'Workflows and domain are pure: do this in an activity.' },
    { group: ['**/stores/**', '**/runtime/**', '**/serving/**', '**/gateway/**', '**/cli/**', '**/workers/**'], message: 'Workflows and domain are pure: do this in an activity.' },
  ],
};

export default tseslint.config(
  { ignores: ['dist/**', 'node_modules/**', '.perennial/**', '**/*.mjs', '**/*.cjs', 'eslint.config.js'] },
  ...tseslint.configs.recommendedTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-floating-promises': ['error', { allowForKnownSafeCalls: [{ from: 'package', package: 'node:test', name: ['test', 'it', 'describe'] }] }],
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'separate-type-imports' }],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      'no-empty': ['error', { allowEmptyCatch: false }],
      'no-restricted-syntax': ['error', { selector: 'TSEnumDeclaration', message: 'Use a const object.' }],
      eqeqeq: 'error',
    },
  },
  {
    files: ['workflows/**/*.ts', 'domain/**/*.ts'],
    rules: { '@typescript-eslint/no-restricted-imports': ['error', impure], 'no-restricted-globals': ['error', 'process', 'fetch', 'Buffer', 'require'] },
  },
  {
    files: ['workflows/**/*.ts'],
    rules: {
      '@typescript-eslint/no-restricted-imports': ['error', {
        paths: [...impure.paths, { name: 'zod', message: 'Keep schemas out of workflow bundles: import types.', allowTypeImports: true }],
        patterns: [...impure.patterns, { group: ['**/activities/**', '**/definition/**', '**/contract/**', '!**/contract/names.js'], allowTypeImports: true, message: 'Workflows import these as types only.' }],
      }],
    },
  },
);
