import { Command, InvalidArgumentError } from 'commander';

/** A benchmark's command line. `--help` prints it and ends the process. */
export const benchmarkCommand = (name: string, description: string): Command =>
  new Command(`npm run bench -- ${name}`).usage('[options]').description(description).allowExcessArguments(false);

/** Reads an option's value. */
export function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('It must be a whole number from 1 on, in digits.');
  return Number(text);
}

/** Reads a list of `choices`, separated by commas. */
export const someOf =
  <Choice extends string>(choices: readonly Choice[]) =>
  (text: string): readonly Choice[] =>
    text.split(',').map((part) => {
      const found = choices.find((choice) => choice === part.trim());
      if (found === undefined) throw new InvalidArgumentError(`It must be some of ${choices.join(', ')}, separated by commas.`);
      return found;
    });
