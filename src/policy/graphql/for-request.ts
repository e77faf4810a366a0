import DataLoader from 'dataloader';
import { isUuid, pageOf, type Page, type PageRequest, type Viewer } from '../../kernel/index.js';
import { limitedTo } from '../../platform/graphql-limit.js';
import { loadersByPage } from '../../platform/graphql-loaders.js';
import type { StoredEvent } from '../../audit/index.js';
import type { Backtesting } from '../backtest/start-backtest.js';
import type { PolicyChanging } from '../changes/changing.js';
import { testBundle, type TestBundleOutcome, type TestBundleRequest } from '../changes/test-bundle.js';
import { testPolicy, type TestOutcome, type TestRequest } from '../changes/test-policy.js';
import type { Policy, Review, Revision } from '../policy.js';
import type { EffectivePolicy } from '../ports.js';
import {
  currentRevisions,
  listEffectivePolicies,
  listPoliciesInForce,
  policiesById,
  type CurrentRevisions,
  type PolicyReading,
} from '../read-policies.js';

export type PolicyDeps = PolicyReading & PolicyChanging & Backtesting;

/** Policies for one GraphQL request: asked field by field, answered in batches. */
export interface PoliciesForRequest {
  readonly viewer: () => Viewer;
  readonly deps: PolicyDeps;
  byId(id: string): Promise<Policy | null>;
  revisions(policyId: string, page: PageRequest): Promise<Page<Revision>>;
  revision(policyId: string, revision: number): Promise<Revision | null>;
  current(policyId: string): Promise<CurrentRevisions>;
  draftReview(policyId: string): Promise<Review | null>;
  inForce(projectId: string, page: PageRequest): Promise<Page<Policy> | null>;
  effective(projectId: string, page: PageRequest): Promise<Page<EffectivePolicy> | null>;
  test(viewer: Viewer, request: TestRequest): Promise<TestOutcome>;
  testBundle(viewer: Viewer, request: TestBundleRequest): Promise<TestBundleOutcome>;
}

/** The most texts, and the most folders, that one operation may try: each text keeps the parser, and is compared with what is in force. */
const MAX_TESTS = 10;
const MAX_BUNDLE_TESTS = 1;

export interface PolicyContext {
  readonly policies: PoliciesForRequest;
  /** The event, as far as the viewer may see it. */
  readonly eventById: (id: string) => Promise<StoredEvent | null>;
}

export function policiesForRequest(deps: PolicyDeps, viewer: () => Viewer): PoliciesForRequest {
  const byId = new DataLoader<string, Policy | null>(async (ids) => policiesById(deps, viewer(), ids));
  const revisions = loadersByPage((page) => async (ids) => {
    const lists = await deps.policies.revisions(viewer().organizationId, ids, page);
    return lists.map((rows) => pageOf(rows, page));
  });
  const byNumber = new DataLoader<{ readonly policyId: string; readonly revision: number }, Revision | null, string>(
    async (wanted) => {
      const found = await deps.policies.revisionsByNumber(viewer().organizationId, wanted);
      const known = new Map(found.map((each) => [nameOf(each), each]));
      return wanted.map((each) => known.get(nameOf(each)) ?? null);
    },
    { cacheKeyFn: nameOf },
  );
  const current = new DataLoader<string, CurrentRevisions>((ids) => currentRevisions(deps, viewer(), ids));
  const draftReviews = new DataLoader<string, Review | null>((ids) => deps.policies.draftReviews(viewer().organizationId, ids));
  const inForce = loadersByPage((page) => async (ids) => listPoliciesInForce(deps, viewer(), ids, page));
  const effective = loadersByPage((page) => async (ids) => listEffectivePolicies(deps, viewer(), ids, page));
  return {
    viewer,
    deps,
    byId: (id) => (isUuid(id) ? byId.load(id) : Promise.resolve(null)),
    revisions: (id, page) => revisions(page).load(id),
    revision: (policyId, revision) => byNumber.load({ policyId, revision }),
    current: (id) => current.load(id),
    draftReview: (id) => draftReviews.load(id),
    inForce: (projectId, page) => inForce(page).load(projectId),
    effective: (projectId, page) => effective(page).load(projectId),
    test: limitedTo(MAX_TESTS, 'tests of policies', (by: Viewer, request: TestRequest) => testPolicy(deps, by, request)),
    testBundle: limitedTo(MAX_BUNDLE_TESTS, 'test of a folder', (by: Viewer, request: TestBundleRequest) => testBundle(deps, by, request)),
  };
}

const nameOf = ({ policyId, revision }: { readonly policyId: string; readonly revision: number }): string => `${policyId}/${revision}`;
