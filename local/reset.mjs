// `npm run reset`. Shares the code that knows whether the data is in use, so packages must be there.
import { setUp } from './set-up.mjs';

try {
  await setUp();
  const { register } = await import('tsx/esm/api');
  register();
  await import('./reset.ts');
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
