import js from '@eslint/js';
import tseslint from 'typescript-eslint';

/** What consensus and the state machine must never touch: a seed could not replay them. */
const worldly = [
  { name: 'setTimeout', message: 'time comes in through the Clock port' },
  { name: 'setInterval', message: 'time comes in through the Clock port' },
  { name: 'setImmediate', message: 'time comes in through the Clock port' },
  { name: 'performance', message: 'time comes in through the Clock port' },
  { name: 'Date', message: 'time comes in through the Clock port' },
  { name: 'process', message: 'the core knows no process' },
];

export default tseslint.config(
  { ignores: ['dist/**', 'node_modules/**', '.raftkv-dev/**'] },
  js.configs.recommended,
  ...tseslint.configs.recommendedTypeChecked,
  {
    languageOptions: {
      parserOptions: { projectService: { allowDefaultProject: ['eslint.config.js', 'test/run.js'] } },
    },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true, allow: [{ name: 'BigInt', from: 'lib' }] },
      ],
      '@typescript-eslint/require-await': 'off',
      eqeqeq: 'error',
    },
  },
  {
    files: ['test/**'],
    rules: {
      // node:test returns a promise from test() that the runner itself awaits.
      '@typescript-eslint/no-floating-promises': [
        'error',
        {
          allowForKnownSafeCalls: [
            { from: 'package', package: 'node:test', name: ['test', 'describe', 'it', 'suite'] },
          ],
        },
      ],
    },
  },
  {
    files: ['src/raft/**', 'src/kv/**', 'src/member/**'],
    rules: {
      'no-restricted-globals': ['error', ...worldly],
      'no-restricted-properties': [
        'error',
        { object: 'Math', property: 'random', message: 'randomness comes in through the Random port' },
      ],
    },
  },
  { files: ['**/*.js'], extends: [tseslint.configs.disableTypeChecked] },
);
