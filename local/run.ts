import { announce, jsonLine } from './announcement.js';
import { say, withProgress } from './progress.mjs';
import { sentenceOf } from './refusal.js';
import { readSettings } from './settings.js';
import { claim } from './supervisor/claim.js';
import { houseOf } from './supervisor/house.js';
import { stopRequest } from './supervisor/stop-request.js';

/**
 * Runs everything until it is asked to stop, and ends this process: with exit code 0 after a stop, 1 when it did not start.
 *
 * @param asJson one line of JSON on stdout once it can be used, instead of text for people
 */
export async function run({ asJson }: { readonly asJson: boolean }): Promise<never> {
  // A reader that goes away (a closed terminal, head -1) must not keep us from stopping the others.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);

  const settings = readSettings(process.env);
  const house = houseOf(settings, say);
  const asked = stopRequest(() => {
    house.kill();
    process.exit(130);
  });
  const release = await Promise.race([claim(settings), asked]);
  if (release === undefined) process.exit(0);
  try {
    const running = await Promise.race([house.start(), asked]);
    if (running !== undefined) {
      if (asJson) console.log(jsonLine(running));
      else console.log(announce(running));
      await asked;
    }
  } catch (error) {
    say(sentenceOf(error));
    process.exitCode = 1;
  }
  await withProgress('Stopping', () => house.stop());
  release();
  process.exit();
}
