/** What a legal hold protects: everything that all of its selectors select; null selects everything. */
export interface HoldSelectors {
  /** The namespace and everything below, also what was deleted since. */
  readonly namespaceId: string | null;
  readonly sessionId: string | null;
  /** On whose behalf: the user, or the human behind a service account. */
  readonly userId: string | null;
  readonly agentId: string | null;
  /** Events that occurred at this moment or later. */
  readonly from: Date | null;
  /** Events that occurred before this moment. */
  readonly to: Date | null;
}

/** A legal hold: what it selects is kept, whatever retention says, until it is lifted. */
export interface LegalHold extends HoldSelectors {
  /** UUIDv7 of the moment when it was placed. */
  readonly id: string;
  readonly name: string;
  readonly reason: string;
  readonly placedAt: Date;
  readonly placedBy: string;
  /** Null while it is in force. */
  readonly lift: { readonly at: Date; readonly by: string; readonly reason: string } | null;
}

/** What is wrong with a hold's selectors; empty when nothing is. */
export function selectorProblems(selectors: HoldSelectors): readonly { readonly path: string; readonly message: string }[] {
  const { from, to, ...others } = selectors;
  if (from !== null && to !== null && from >= to) return [{ path: 'to', message: 'must be after from' }];
  if ([from, to, ...Object.values(others)].some((selector) => selector !== null)) return [];
  return [
    {
      path: 'namespaceId',
      message: 'must be given, or another selector: to hold the whole organization, give its id',
    },
  ];
}
