import { cursorOf, hashOf, keyIn, type OrganizationId } from '../kernel/index.js';

const KIND = 'feed';
export const NO_CURSOR = 'after: not a cursor of this log. Take the cursor of an item as it came.';

/** Tells one organization's log from another's, so that a cursor of one does not pass over events of the other. */
const logId = (organizationId: OrganizationId): string => hashOf('log', organizationId).toString('hex', 0, 6);

/** An opaque cursor behind which the entry at `position` of the organization's log comes next. */
export const feedCursor = (organizationId: OrganizationId, position: number): string =>
  cursorOf(KIND, `${position}@${logId(organizationId)}`);

/**
 * The position that comes next behind a cursor.
 *
 * @throws Failure BAD_USER_INPUT when it is no cursor of a feed of this organization.
 */
export function positionBehind(organizationId: OrganizationId, cursor: string): number {
  const isOfThisLog = (key: string): boolean => {
    const [position = '', log] = key.split('@');
    return /^(0|[1-9]\d{0,15})$/.test(position) && Number.isSafeInteger(Number(position)) && log === logId(organizationId);
  };
  return Number(keyIn(KIND, cursor, isOfThisLog, NO_CURSOR).split('@')[0]);
}
