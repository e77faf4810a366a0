import { withProgress } from '../progress.mjs';
import { apiAt } from './api.js';
import { pushDirectory } from './directory.js';
import { publishPolicies } from './policy-loading.js';
import { registerTools } from './registry.js';

/**
 * Loads the demo organization through the public API, as a platform and an administrator would. Loading it again adds
 * nothing, and leaves alone what was changed since.
 *
 * @param base where the governance subgraph listens, without a path
 * @throws Refusal when any of it is refused
 */
export async function loadDemo(base: string, administratorToken: string): Promise<void> {
  const api = apiAt(base, administratorToken);
  await withProgress('Loading the demo', async (report) => {
    report('directory');
    await pushDirectory(api);
    await registerTools(api, report);
    report('policies');
    await publishPolicies(api);
  });
}
