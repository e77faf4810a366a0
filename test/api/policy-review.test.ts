import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  aDraft,
  aPublishedPolicy,
  publishPolicy,
  retirePolicy,
  reviewPolicy,
  rollBackPolicy,
  saveDraft,
  setReviewRequired,
} from '../support/governing.js';
import { anOrganization, type TestOrganization } from '../support/organization.js';
import { aSubgraph, type Client, type TestSubgraph } from '../support/subgraph.js';

const PERMIT = 'permit (principal, action, resource);';
const FORBID = 'forbid (principal, action, resource);';
const digestOf = (text: string): string => createHash('sha256').update(text).digest('hex');
const NEEDED = [expect.objectContaining({ __typename: 'AgentPolicyReviewNeeded' })];
const SOON = new Date(Date.now() + 3_600_000).toISOString();

let subgraph: TestSubgraph;
beforeAll(async () => {
  subgraph = await aSubgraph();
});
afterAll(() => subgraph.close());

interface Company {
  readonly company: TestOrganization;
  readonly owner: Client;
  readonly grace: Client;
  readonly ada: Client;
  readonly userOf: (name: string) => string;
}

/** A company whose group `core` demands reviews, and two maintainers of that group. */
async function aCompany(): Promise<Company> {
  const company = await anOrganization(subgraph);
  const userOf = (name: string): string => `${company.id}/${name}`;
  const [owner, grace, ada] = [
    await company.member('OWNER', company.id, { userId: userOf('owner') }),
    await company.member('MAINTAINER', company.core, { userId: userOf('grace') }),
    await company.member('MAINTAINER', company.core, { userId: userOf('ada') }),
  ];
  await setReviewRequired(owner, company.core, true);
  return { company, owner, grace, ada, userOf };
}

const statusOf = async (client: Client, id: string): Promise<unknown> =>
  (await client.graphql('query ($id: ID!) { agentPolicy(id: $id) { status draft { review { reviewedBy { id } message mode } } } }', { id }))
    .data?.['agentPolicy'];

describe('where a second person must review', () => {
  it('a draft is published once somebody else has reviewed it, and the revision names them', async () => {
    const { company, grace, ada, userOf } = await aCompany();
    const id = await aDraft(grace, company.api, PERMIT);

    expect((await publishPolicy(grace, { policyId: id, basedOn: 0 })).errors).toEqual([
      expect.objectContaining({ __typename: 'AgentPolicyReviewNeeded', demandedBy: [company.core] }),
    ]);
    expect(await reviewPolicy(ada, { policyId: id, digest: digestOf(PERMIT), message: 'Fine' })).toMatchObject({
      policy: { status: 'REVIEWED' },
      errors: [],
    });
    expect(await statusOf(grace, id)).toEqual({
      status: 'REVIEWED',
      draft: { review: { reviewedBy: { id: userOf('ada') }, message: 'Fine', mode: 'ENFORCE' } },
    });
    expect((await publishPolicy(grace, { policyId: id, basedOn: 0 })).policy).toMatchObject({ status: 'PUBLISHED', latestRevision: 1 });

    const { data } = await grace.graphql(
      `query ($id: ID!) { agentPolicy(id: $id) { published { author { id } reviewer { id } } }
        agentAuditEvents(first: 10, filter: { types: ["ai_policy_reviewed", "ai_policy_published"] }) { nodes { type user { id } payload {
          ... on AgentPolicyPayload { draftVersion reviewSubject digest author { id } reviewer { id } } } } } }`,
      { id },
    );
    const [author, reviewer] = [{ id: userOf('grace') }, { id: userOf('ada') }];
    expect(data).toMatchObject({
      agentPolicy: { published: { author, reviewer } },
      agentAuditEvents: {
        nodes: [
          { type: 'ai_policy_published', user: author, payload: { author, reviewer } },
          {
            type: 'ai_policy_reviewed',
            user: reviewer,
            payload: { draftVersion: 1, reviewSubject: 'PUBLISH', digest: digestOf(PERMIT), author, reviewer },
          },
        ],
      },
    });
  });

  it('nobody reviews their own draft, though they may publish what they have reviewed of another', async () => {
    const { company, grace, ada } = await aCompany();
    const id = await aDraft(grace, company.api, PERMIT);

    expect((await reviewPolicy(grace, { policyId: id, digest: digestOf(PERMIT) })).errors).toMatchObject([
      { __typename: 'AgentPolicyOwnDraft' },
    ]);
    await reviewPolicy(ada, { policyId: id, digest: digestOf(PERMIT) });
    expect((await publishPolicy(ada, { policyId: id, basedOn: 0 })).errors).toEqual([]);
  });

  it('a review is of the text that was read, and of no other', async () => {
    const { company, grace, ada } = await aCompany();
    const id = await aDraft(grace, company.api, PERMIT);
    await saveDraft(grace, { policyId: id, draftVersion: 1, text: FORBID });

    expect((await reviewPolicy(ada, { policyId: id, digest: digestOf(PERMIT) })).errors).toMatchObject([
      { __typename: 'AgentPolicyDraftConflict', basedOnVersion: null, draft: { version: 2, text: FORBID } },
    ]);
    expect((await reviewPolicy(ada, { policyId: id, digest: 'none' })).errors).toMatchObject([{ __typename: 'AgentInputInvalid' }]);
  });

  it.each([
    ['another text', async (author: Client, policyId: string) => saveDraft(author, { policyId, draftVersion: 1, text: FORBID })],
    [
      'a change and its undoing',
      async (author: Client, policyId: string) => {
        await saveDraft(author, { policyId, draftVersion: 1, text: FORBID });
        await saveDraft(author, { policyId, draftVersion: 2, text: PERMIT });
      },
    ],
    ['white space', async (author: Client, policyId: string) => saveDraft(author, { policyId, draftVersion: 1, text: `${PERMIT} ` })],
  ])('a review is void after %s', async (_what, change) => {
    const { company, grace, ada } = await aCompany();
    const id = await aDraft(grace, company.api, PERMIT);
    await reviewPolicy(ada, { policyId: id, digest: digestOf(PERMIT) });

    await change(grace, id);

    expect(await statusOf(grace, id)).toMatchObject({ status: 'DRAFT', draft: { review: null } });
    expect((await publishPolicy(grace, { policyId: id, basedOn: 0 })).errors).toEqual(NEEDED);
  });

  it.each<[string, object]>([
    ['another text', { text: FORBID }],
    ['another mode', { mode: 'SHADOW' }],
    ['a start', { effectiveFrom: SOON }],
    ['an end', { effectiveUntil: SOON }],
  ])('what was reviewed is not published with %s', async (_what, more) => {
    const { company, grace, ada } = await aCompany();
    const id = await aDraft(grace, company.api, PERMIT);
    await reviewPolicy(ada, { policyId: id, digest: digestOf(PERMIT) });

    expect((await publishPolicy(grace, { policyId: id, basedOn: 0, ...more })).errors).toEqual(NEEDED);
  });

  it('what was reviewed with a mode and times is published with these', async () => {
    const { company, grace, ada } = await aCompany();
    const id = await aDraft(grace, company.api, PERMIT);
    const agreed = { mode: 'SHADOW', effectiveFrom: SOON };
    await reviewPolicy(ada, { policyId: id, digest: digestOf(PERMIT), ...agreed });

    expect((await publishPolicy(grace, { policyId: id, basedOn: 0 })).errors).toEqual(NEEDED);
    expect((await publishPolicy(grace, { policyId: id, basedOn: 0, ...agreed })).errors).toEqual([]);
  });

  it('the reviewer needs the role in the namespace of the policy', async () => {
    const { company, grace } = await aCompany();
    const id = await aDraft(grace, company.api, PERMIT);
    const input = { policyId: id, digest: digestOf(PERMIT) };
    const review =
      'mutation ($input: AgentPolicyReviewInput!) { agentPolicyReview(input: $input) { policy { id } errors { __typename } } }';
    const [developer, neighbour] = [await company.member('DEVELOPER', company.api), await company.member('OWNER', company.shop)];

    expect((await developer.graphql(review, { input })).errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
    expect((await neighbour.graphql(review, { input })).data).toEqual({
      agentPolicyReview: { policy: null, errors: [{ __typename: 'AgentNotFound' }] },
    });
    expect((await publishPolicy(grace, { policyId: id, basedOn: 0 })).errors).toEqual(NEEDED);
  });

  it('a policy is retired once somebody else has agreed, for that revision', async () => {
    const { company, grace, ada } = await aCompany();
    const id = await aDraft(grace, company.api, FORBID);
    const digest = digestOf(FORBID);
    await reviewPolicy(ada, { policyId: id, digest });
    await publishPolicy(grace, { policyId: id, basedOn: 0 });

    expect((await retirePolicy(grace, { policyId: id, basedOn: 1 })).errors).toEqual(NEEDED);
    // Nobody agrees with themselves.
    await reviewPolicy(grace, { policyId: id, digest, subject: 'RETIRE' });
    expect((await retirePolicy(grace, { policyId: id, basedOn: 1 })).errors).toEqual(NEEDED);
    await reviewPolicy(ada, { policyId: id, digest, subject: 'RETIRE' });
    expect((await retirePolicy(grace, { policyId: id, basedOn: 1 })).policy).toMatchObject({ status: 'RETIRED' });
    expect((await reviewPolicy(ada, { policyId: id, digest, subject: 'RETIRE' })).errors).toMatchObject([
      { __typename: 'AgentInputInvalid', inputProblems: [{ path: 'subject' }] },
    ]);
  });

  it('one person alone can go back to a revision that was reviewed, at once, and to no other', async () => {
    const { company, owner, grace, ada } = await aCompany();
    await setReviewRequired(owner, company.core, false);
    const id = await aPublishedPolicy(grace, company.api, PERMIT);
    await setReviewRequired(owner, company.core, true);
    await saveDraft(grace, { policyId: id, draftVersion: 1, text: FORBID });
    await reviewPolicy(ada, { policyId: id, digest: digestOf(FORBID) });
    await publishPolicy(grace, { policyId: id, basedOn: 1 });

    expect((await rollBackPolicy(grace, { policyId: id, basedOn: 2, toRevision: 1 })).errors).toEqual(NEEDED);
    expect((await rollBackPolicy(grace, { policyId: id, basedOn: 2, toRevision: 2, mode: 'SHADOW' })).errors).toEqual(NEEDED);
    expect((await rollBackPolicy(grace, { policyId: id, basedOn: 2, toRevision: 2, effectiveUntil: SOON })).errors).toEqual(NEEDED);
    expect((await rollBackPolicy(grace, { policyId: id, basedOn: 2, toRevision: 2 })).errors).toEqual([]);
  });

  it('what was reviewed for an hour is not gone back to for good, and nobody is said to have reviewed what they have not', async () => {
    const { company, owner, grace, ada } = await aCompany();
    const id = await aDraft(grace, company.api, PERMIT);
    await reviewPolicy(ada, { policyId: id, digest: digestOf(PERMIT), effectiveUntil: SOON });
    expect((await publishPolicy(grace, { policyId: id, basedOn: 0, effectiveUntil: SOON })).errors).toEqual([]);

    expect((await rollBackPolicy(grace, { policyId: id, basedOn: 1, toRevision: 1 })).errors).toEqual(NEEDED);
    await setReviewRequired(owner, company.core, false);
    expect((await rollBackPolicy(grace, { policyId: id, basedOn: 1, toRevision: 1 })).errors).toEqual([]);
    const { data } = await grace.graphql('query ($id: ID!) { agentPolicy(id: $id) { published { revision reviewer { id } } } }', { id });
    expect(data).toEqual({ agentPolicy: { published: { revision: 2, reviewer: null } } });
  });
});

describe('whether a second person must review', () => {
  const settingsAt = async (client: Client, namespaceId: string) =>
    (
      await client.graphql('query ($n: ID!) { agentPolicySettings(namespaceId: $n) { isReviewRequired reviewRequiredBy } }', {
        n: namespaceId,
      })
    ).data?.['agentPolicySettings'];

  it('is set for a namespace and all below, and nothing below lifts it', async () => {
    const { company, owner, grace } = await aCompany();

    await setReviewRequired(owner, company.id, true);
    await setReviewRequired(owner, company.core, false);

    expect(await settingsAt(owner, company.core)).toEqual({ isReviewRequired: true, reviewRequiredBy: [company.id] });
    expect(await settingsAt(owner, company.shop)).toEqual({ isReviewRequired: true, reviewRequiredBy: [company.id] });
    const id = await aDraft(grace, company.api, PERMIT);
    expect((await publishPolicy(grace, { policyId: id, basedOn: 0 })).errors).toEqual(NEEDED);
  });

  it('does not hold beside the namespace, nor above it', async () => {
    const { company, owner } = await aCompany();

    expect(await settingsAt(owner, company.payments)).toEqual({ isReviewRequired: false, reviewRequiredBy: [] });
    for (const place of [company.payments, company.web]) await aPublishedPolicy(owner, place, PERMIT);
  });

  it('is recorded when it changes, and only then', async () => {
    const { company, owner } = await aCompany();
    for (const isRequired of [true, false, false, true]) await setReviewRequired(owner, company.core, isRequired);

    const { data } = await owner.graphql<{ agentAuditEvents: { nodes: readonly { readonly payload: unknown }[] } }>(
      '{ agentAuditEvents(first: 10, filter: { types: ["ai_policy_settings_changed"] }) { nodes { payload { ... on AgentPolicySettingsPayload { namespaceId isReviewRequired wasReviewRequired } } } } }',
    );

    expect(data?.agentAuditEvents.nodes.map(({ payload }) => payload)).toEqual([
      { namespaceId: company.core, isReviewRequired: true, wasReviewRequired: false },
      { namespaceId: company.core, isReviewRequired: false, wasReviewRequired: true },
      { namespaceId: company.core, isReviewRequired: true, wasReviewRequired: false },
    ]);
  });

  it('is set by owners, and read by members', async () => {
    const { company, grace } = await aCompany();
    const set =
      'mutation ($n: ID!) { agentPolicySettingsSet(input: { namespaceId: $n, isReviewRequired: false }) { errors { __typename } } }';
    const neighbour = await company.member('OWNER', company.shop);

    expect((await grace.graphql(set, { n: company.core })).errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
    expect((await neighbour.graphql(set, { n: company.core })).data).toEqual({
      agentPolicySettingsSet: { errors: [{ __typename: 'AgentNotFound' }] },
    });
    expect(await settingsAt(neighbour, company.core)).toBeNull();
    expect(await settingsAt(grace, company.core)).toMatchObject({ isReviewRequired: true });
  });
});
