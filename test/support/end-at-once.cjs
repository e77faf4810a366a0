// Loaded by scripts/test.mjs into Jest's workers before anything else. A worker that has nothing left to do ends at once: Node would
// first take apart what is a heap of hundreds of megabytes by then, which on a busy machine takes longer than the half second that Jest
// waits before it says that a test has left something open. What a test does leave open still keeps its worker from coming here.
if (process.env.JEST_WORKER_ID !== undefined && process.send !== undefined) process.once('beforeExit', () => process.exit());
