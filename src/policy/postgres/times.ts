/** What `inForceAt` says, in SQL: the revision `r` is in force at the moment, or is still to start. */
export const COUNTS = (moment: string): string => counts(moment, 'true');
/** The same as it was said at the moment itself: what was published afterwards neither counts nor replaces anything. */
export const COUNTED = (moment: string): string => `(${PUBLISHED_BY('r', moment)} AND ${counts(moment, PUBLISHED_BY('later', moment))})`;

const PUBLISHED_BY = (revision: string, moment: string): string => `${revision}.published_at <= ${moment}::timestamptz`;

/** @param mayReplace what else is asked of a `later` revision that replaces it */
const counts = (moment: string, mayReplace: string): string => `(
  r.status = 'PUBLISHED' AND (r.effective_until IS NULL OR r.effective_until > ${moment}::timestamptz) AND NOT EXISTS (
    SELECT 1 FROM policy_revision later
    WHERE later.policy_id = r.policy_id AND later.revision > r.revision
      AND (later.effective_from IS NULL OR later.effective_from <= ${moment}::timestamptz)
      AND (later.mode = 'ENFORCE' OR r.mode = 'SHADOW') AND ${mayReplace}))`;
/** The revision `r` has started. */
export const STARTED = (moment: string): string => `(r.effective_from IS NULL OR r.effective_from <= ${moment}::timestamptz)`;
