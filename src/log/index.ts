export { followLogs, type Follower, type Tail } from './follow.js';
export type { LogEntry, LogHints, LogReader, Sequencing } from './ports.js';
export { startSequencer, type Sequencer } from './sequence.js';
