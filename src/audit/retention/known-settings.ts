import { hasJustBeen, type Clock, type OrganizationId } from '../../kernel/index.js';
import type { RetentionReader } from './ports.js';
import type { DaysInForce } from './rules.js';

/** An organization's retention settings as they were less than a second ago. */
export type KnownSettings = (organizationId: OrganizationId) => Promise<readonly DaysInForce[]>;

/** How long settings may lag behind. */
const MAX_AGE_MILLISECONDS = 1_000;
/** The most organizations that are remembered. */
const MAX_REMEMBERED = 10_000;

/**
 * Retention settings for whoever needs them at every request. What is asked for at the same time is read once; a reading that fails is
 * not remembered.
 */
export function rememberSettings(reader: Pick<RetentionReader, 'settings'>, clock: Clock): KnownSettings {
  const remembered = new Map<OrganizationId, { readonly at: number; readonly settings: Promise<readonly DaysInForce[]> }>();
  return (organizationId) => {
    const now = clock().getTime();
    const known = remembered.get(organizationId);
    if (known !== undefined && hasJustBeen(known.at, now, MAX_AGE_MILLISECONDS)) return known.settings;
    if (remembered.size >= MAX_REMEMBERED) remembered.clear();
    const settings = reader.settings(organizationId);
    remembered.set(organizationId, { at: now, settings });
    settings.catch(() => {
      if (remembered.get(organizationId)?.settings === settings) remembered.delete(organizationId);
    });
    return settings;
  };
}
