/** Typical data of each type that only this service records. */
const digest = 'ab'.repeat(32);

const approval = {
  decisionId: '019aa000-0000-7000-8000-000000000001',
  toolId: 'io.example.files/delete_file',
  toolName: 'delete_file',
  level: 40,
  scope: null,
  reason: null,
  expiresAt: '2026-11-22T10:00:00.000Z',
  decidedBy: null,
};
const granted = { ...approval, scope: 'SESSION', reason: 'Seen it', decidedBy: 'gid://platform/User/1' };
const policy = {
  policyId: '0b7c0000-0000-4000-8000-000000000001',
  name: 'reads only',
  namespaceId: 'acme',
  revision: 2,
  digest,
  message: null,
  ...{ mode: 'ENFORCE', effectiveFrom: null, effectiveUntil: '2026-12-01T00:00:00.000Z' },
  ...{
    draftVersion: null,
    author: 'gid://platform/User/1',
    reviewer: 'gid://platform/User/2',
    repeats: null,
    reviewSubject: null,
    backtestDigest: null,
    casesDigest: null,
    repository: null,
    bundle: null,
  },
};
const draft = { ...policy, revision: 0, effectiveUntil: null, draftVersion: 1, reviewer: null };
const tool = {
  toolId: 'io.example.files/delete_file',
  namespaceId: 'acme',
  definitionDigest: digest,
  previousDefinitionDigest: null,
  actionType: 'DESTROY',
  actionTypeReason: null,
  labels: ['files'],
};
const hold = {
  ...{ holdId: 'hold-1', name: 'Case 7', reason: 'Court order' },
  ...{ namespaceId: 'acme', sessionId: null, userId: 'gid://platform/User/1', agentId: null },
  ...{ from: '2026-10-01T00:00:00.000Z', to: null },
};

export const ownData = {
  ai_tool_decision_refused: { reason: 'QUESTION_INVALID', route: 'AUTHZEN', fields: ['subject.id'], leftOut: 2 },
  ai_tool_decision_made: {
    basis: 'FORBIDDEN',
    explanation: 'No.',
    reasons: [{ policyId: 'p-1', policyName: 'no deletes', namespaceId: 'acme', revision: 1, effect: 'FORBID' }],
    failed: [],
    advice: ['Ask the owner.'],
    obligations: [],
    approvalNeeded: null,
    shadow: null,
    epoch: 4,
    requestId: null,
    toolId: null,
    toolDefinitionDigest: null,
    actionType: 'DESTROY',
    arguments: { path: 'README.md' },
    facts: { model: '2.0.0', environment: 'staging' },
  },
  ai_tool_approval_requested: approval,
  ai_tool_approval_granted: granted,
  ai_tool_approval_rejected: { ...granted, scope: null },
  ai_tool_approval_expired: approval,
  ai_policy_created: draft,
  ai_policy_draft_changed: { ...draft, draftVersion: 2 },
  ai_policy_reviewed: { ...draft, reviewer: 'gid://platform/User/2', reviewSubject: 'PUBLISH' },
  ai_policy_published: policy,
  ai_policy_rolled_back: { ...policy, repeats: 1 },
  ai_policy_retired: policy,
  ai_policy_adopted: { ...policy, repository: 'https://git.example/acme/policies', bundle: digest },
  ai_policy_released: { ...policy, repository: 'https://git.example/acme/policies' },
  ai_policy_settings_changed: {
    ...{ namespaceId: 'acme', isReviewRequired: true, wasReviewRequired: false, trustedAppliers: ['gid://platform/User/9'] },
    ...{ backtestDays: 30, maxNewlyDenied: 0, maxNewlyAsked: null, maxNewlyAllowed: null },
  },
  ai_policy_backtested: {
    ...{ backtestId: '0b7c0000-0000-4000-8000-000000000009', policyId: policy.policyId, name: policy.name, namespaceId: 'acme' },
    ...{ subject: 'PUBLISH', digest, baseline: 'IN_FORCE', from: '2026-10-01T00:00:00.000Z', to: '2026-11-01T00:00:00.000Z' },
    ...{ isFiltered: false, decisions: 120, newlyDenied: 3, newlyAsked: 0, newlyAllowed: 1, reportDigest: digest },
    ...{ skipped: 2, withoutArguments: 0, notReproduced: 5, inForceDigest: digest },
  },
  ai_tool_rule_changed: {
    ...{ namespaceId: 'acme', tool: 'io.example.files/delete_file', agentClass: 'coding', verdict: 'ASK', previousVerdict: null },
    policyId: policy.policyId,
  },
  ai_tool_registered: tool,
  ai_tool_changed: { ...tool, previousDefinitionDigest: digest },
  ai_tool_approved: { ...tool, reason: 'Read it' },
  ai_tool_quarantined: { ...tool, reason: 'Its description gives orders' },
  ai_agent_stopped: { agentId: 'gid://platform/Agent/coder', reason: 'Loops', expiresAt: null },
  ai_retention_dropped: {
    ...{ class: 'CONTENT', namespaceId: null, month: '2026-04', from: null, to: null },
    ...{ firstPosition: 0, lastPosition: 2 ** 40, count: 2 ** 33 },
  },
  ai_retention_changed: { namespaceId: 'acme', class: 'METADATA', days: 400, previousDays: null },
  ai_legal_hold_placed: hold,
  ai_legal_hold_lifted: hold,
  ai_content_revealed: { eventIds: ['019aa000-0000-7000-8000-000000000001'], reason: 'Incident 12' },
  ai_recording_mode_changed: { namespaceId: 'acme', mode: 'METADATA_ONLY', previousMode: null },
  ai_agent_session_report_finished: { producer: '/duo_workflow_service', batchId: 'b-9', totalEventsSent: 2 ** 33 },
} as const;
