/** A stage on which nothing ends by itself: what the test of the stage interrupts. */
import { spawn } from 'node:child_process';
import { endProcess } from '../../local/end-process.js';
import { onStage } from '../../bench/support/stage.js';

await onStage(async (stage) => {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => undefined, 1_000)'], { detached: true, stdio: 'ignore' });
  stage.atEnd(async () => {
    await endProcess(child, 'SIGTERM', 5_000);
    console.log('the child has ended');
  });
  stage.atEnd(() => Promise.reject(new Error('this one would not')));
  console.log(JSON.stringify({ folder: stage.folder, child: child.pid }));
  if (process.argv.includes('--fail')) throw new Error('the work failed');
  await new Promise((resolve) => setTimeout(resolve, 60_000));
});
