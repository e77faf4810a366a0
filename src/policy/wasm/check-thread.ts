import { serveThread } from '../../platform/worker-thread.js';
import { compiledEngine } from '../compiled-engine.js';
import { compareEngines } from '../self-check/compare-engines.js';
import type { EngineDifference, EngineQuestion } from '../self-check/ports.js';
import { wasmEngine } from './engines.js';

// What runs in the thread that compares what decides with Cedar itself, before a revision comes in force.
serveThread((question: EngineQuestion): EngineDifference | null => compareEngines(compiledEngine, wasmEngine, question));
