import { Failure } from './failure.js';

/**
 * What `work` comes to, when it does in time. What comes later is nobody's any more; it is not ended.
 *
 * @throws Failure UNAVAILABLE with `message` after `milliseconds`
 */
export function within<Result>(milliseconds: number, message: string, work: Promise<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Failure('UNAVAILABLE', message)), milliseconds);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
