import { hasJustBeen, type Clock, type OrganizationId } from '../kernel/index.js';
import type { ServiceAccountReader, ServiceAccountsAt } from './ports.js';

/** How long service accounts are taken to be as they were: a push made elsewhere is followed within this time. */
const KEPT_MILLISECONDS = 500;
/** The most organizations that are remembered. */
const KEPT_ORGANIZATIONS = 10_000;

/** Service accounts for whoever asks at every request, as they were less than half a second ago. */
export interface KnownServiceAccounts {
  /** The human who is responsible for each service account of the organization, by its id; null where nobody has said who is. */
  owners(organizationId: OrganizationId): Promise<ReadonlyMap<string, string | null>>;
  /** Reads the organization's service accounts anew from now on. */
  forget(organizationId: OrganizationId): void;
}

interface Reading {
  readonly at: number;
  readonly accounts: Promise<ServiceAccountsAt>;
}

/**
 * Remembers the service accounts of each organization as a whole: most have few, and events come from many users, whom one would have to
 * ask for one by one to learn that they are humans. As long as the epoch stands, it alone is read again. What is asked for at the same
 * time is read once; a reading that fails is not remembered.
 */
export function rememberServiceAccounts(reader: ServiceAccountReader, clock: Clock): KnownServiceAccounts {
  const readings = new Map<OrganizationId, Reading>();
  const latest = new Map<OrganizationId, ServiceAccountsAt>();

  const read = async (organizationId: OrganizationId): Promise<ServiceAccountsAt> => {
    const accounts = await reader.serviceAccounts(organizationId, latest.get(organizationId) ?? null);
    latest.set(organizationId, accounts);
    return accounts;
  };

  return {
    async owners(organizationId) {
      const now = clock().getTime();
      const known = readings.get(organizationId);
      if (known !== undefined && hasJustBeen(known.at, now, KEPT_MILLISECONDS)) return (await known.accounts).owners;
      if (readings.size >= KEPT_ORGANIZATIONS) for (const remembered of [readings, latest]) remembered.clear();
      const accounts = read(organizationId);
      readings.set(organizationId, { at: now, accounts });
      accounts.catch(() => {
        if (readings.get(organizationId)?.accounts === accounts) readings.delete(organizationId);
      });
      return (await accounts).owners;
    },
    forget: (organizationId) => void readings.delete(organizationId),
  };
}
