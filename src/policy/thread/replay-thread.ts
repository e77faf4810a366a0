import { serveThread } from '../../platform/worker-thread.js';
import { replayer } from '../backtest/replay.js';
import { NOTHING_TALLIED, type Tally } from '../backtest/tally.js';
import { compiledEngine } from '../compiled-engine.js';
import type { ReplayQuestion } from './replaying.js';

// What runs in each thread of a backtest: two sets of policies are made ready once, then texts come one after the other.
let replay: (lines: string) => Tally = () => NOTHING_TALLIED;
serveThread((question: ReplayQuestion): Tally => {
  if ('lines' in question) return replay(question.lines);
  replay = replayer(compiledEngine, question.comparison);
  return NOTHING_TALLIED;
});
