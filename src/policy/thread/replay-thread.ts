import { serveThread } from '../../platform/worker-thread.js';
import { replayer } from '../backtest/replay.js';
import { NOTHING_TALLIED, type Tally } from '../backtest/tally.js';
import { compiledEngine } from '../compiled-engine.js';
import type { ReplayQuestion } from './replaying.js';

// What runs in each thread of a backtest: two sets of policies are made ready once, then decisions come page by page.
let replay: (events: readonly string[]) => Tally = () => NOTHING_TALLIED;
serveThread((question: ReplayQuestion): Tally => {
  if ('events' in question) return replay(question.events);
  replay = replayer(compiledEngine, question.comparison);
  return NOTHING_TALLIED;
});
