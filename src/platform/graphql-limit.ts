import { Failure } from '../kernel/index.js';

/**
 * The same answers to at most so many questions: for what costs more than the fields that ask it say, and what an operation can ask for many
 * times under other names. To be made anew for each operation.
 *
 * @param what what is asked for, in words: “explanations”
 */
export function limitedTo<Question extends readonly unknown[], Answer>(
  most: number,
  what: string,
  answer: (...question: Question) => Promise<Answer>,
): (...question: Question) => Promise<Answer> {
  let asked = 0;
  return async (...question) => {
    asked += 1;
    if (asked > most) throw new Failure('BAD_USER_INPUT', `The operation asks for more than ${most} ${what}. Ask in several operations.`);
    return answer(...question);
  };
}
