// Shows on stderr what takes long. Plain JavaScript: it runs before anything is installed.

const patienceMs = 2_000;
const running = new Set();
let timer;
let lastLineAt = 0;
let drawnCharacters = 0;

/**
 * Runs `work`. Once it has taken two seconds, shows `title` and the seconds elapsed until it has ended.
 *
 * @template T
 * @param {string} title
 * @param {(report: (detail: string) => void) => Promise<T>} work may report where it is
 * @returns {Promise<T>}
 */
export async function withProgress(title, work) {
  const step = { title, detail: '', startedAt: Date.now() };
  running.add(step);
  timer ??= setInterval(draw, 200);
  try {
    return await work((detail) => {
      step.detail = detail;
    });
  } finally {
    running.delete(step);
    if (drawnCharacters > 0) erase();
    if (running.size === 0) {
      clearInterval(timer);
      timer = undefined;
    }
  }
}

/** Prints a line on stderr without tearing the line that shows the progress. */
export function say(line) {
  erase();
  process.stderr.write(`${line}\n`);
}

function draw() {
  const slow = [...running].filter(({ startedAt }) => Date.now() - startedAt >= patienceMs);
  if (slow.length === 0) return;
  const line = slow.map(describe).join(' · ');
  if (process.stderr.isTTY) {
    const fitting = line.slice(0, (process.stderr.columns ?? 80) - 1);
    erase();
    process.stderr.write(fitting);
    drawnCharacters = fitting.length;
  } else if (Date.now() - lastLineAt >= 5_000) {
    lastLineAt = Date.now();
    process.stderr.write(`${line}\n`);
  }
}

function describe({ title, detail, startedAt }) {
  const seconds = Math.round((Date.now() - startedAt) / 1000);
  return `${title}${detail === '' ? '' : ` (${detail})`}: ${seconds} s`;
}

function erase() {
  if (drawnCharacters > 0) process.stderr.write(`\r${' '.repeat(drawnCharacters)}\r`);
  drawnCharacters = 0;
}
