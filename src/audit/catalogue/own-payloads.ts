/** What this service records itself, as it writes it. */
import { z } from 'zod';
import { payload, RETENTION_CLASSES } from './definition.js';

/** What there is not may be left out or be null; it is read as null. */
const maybe = <Schema extends z.ZodType>(schema: Schema) => schema.nullish().transform((value) => value ?? null);

const text = maybe(z.string());
const id = z.string().min(1);
const digest = z.string().regex(/^[0-9a-f]{64}$/);
const wholeNumber = z.number().int().nonnegative();
const time = maybe(z.iso.datetime());
const actionType = z.enum(['READ', 'WRITE', 'DESTROY']);
const retentionClass = z.enum(RETENTION_CLASSES);

const reason = z.object({
  policyId: id,
  policyName: z.string(),
  namespaceId: id,
  revision: wholeNumber,
  effect: z.enum(['PERMIT', 'FORBID']),
  /** What the statement's annotations say; absent where they say nothing. */
  statement: z.string().optional(),
  reason: z.string().optional(),
  severity: z.enum(['low', 'medium', 'high', 'critical']).optional(),
});

const contradiction = z.object({
  field: z.enum(['userId', 'agentId', 'surface', 'executionMode']),
  claimed: z.string(),
  known: maybe(z.string()),
});

export const decision = payload(
  'decision',
  z.object({
    basis: z.enum([
      ...(['PERMITTED', 'APPROVAL_NEEDED', 'FORBIDDEN', 'OBLIGATION_NEEDED', 'NO_MATCH', 'ARGUMENTS_UNREADABLE', 'POLICY_ERROR'] as const),
      ...(['IDENTITY_CONTRADICTED', 'HUMAN_NO_MEMBER'] as const),
    ]),
    explanation: z.string(),
    /** The policies that determined the verdict, and those that could not be evaluated. */
    reasons: z.array(reason),
    failed: z.array(reason),
    /** What to do instead; what the enforcement point must do; whose approval is needed. Absent in earlier records. */
    advice: z.array(z.string()).optional(),
    obligations: z.array(z.string()).optional(),
    approvalNeeded: maybe(z.object({ level: wholeNumber, count: wholeNumber })),
    /** What policies that are only watched would have changed. Absent in earlier records. */
    shadow: maybe(z.object({ verdict: z.enum(['ALLOW', 'ASK', 'DENY']), basis: z.string(), reasons: z.array(reason) })),
    epoch: wholeNumber,
    requestId: text,
    /** Canonical id; null for an unknown tool. */
    toolId: text,
    toolDefinitionDigest: maybe(digest),
    actionType,
    arguments: z.unknown().optional(),
    /** Everything else that was known of the call, by which it can be evaluated again. Absent in earlier records. */
    facts: z.record(z.string(), z.unknown()).optional(),
    /** What the caller said that the token or the session says otherwise. Absent when nothing, and in earlier records. */
    contradictions: z.array(contradiction).optional(),
  }),
  { details: ['arguments'] },
);

export const decisionRefusal = payload(
  'decisionRefusal',
  z.object({
    reason: z.enum(['SCOPE_MISSING', 'PROJECT_NOT_FOUND', 'QUESTION_INVALID']),
    route: z.enum(['GRAPHQL', 'AUTHZEN']),
    /** The fields at fault, by their names. */
    fields: z.array(z.string()),
    /** How many refusals of the same user were not recorded since the last that was. */
    leftOut: wholeNumber,
  }),
);

/** How far an approval reaches: this call, the session, or calls that match a pattern. */
const approvalScope = z.enum(['CALL', 'SESSION', 'PATTERN']);

export const approval = payload(
  'approval',
  z.object({
    decisionId: id,
    toolId: text,
    toolName: z.string(),
    /** A role's level, as policies count roles: 40 MAINTAINER, 50 OWNER. */
    level: maybe(wholeNumber.max(100)),
    scope: maybe(approvalScope),
    reason: text,
    expiresAt: time,
    decidedBy: text,
  }),
);

export const policy = payload(
  'policy',
  z.object({
    ...{ policyId: id, name: z.string(), namespaceId: id, revision: wholeNumber, digest, message: text },
    /** How and when the text is, or is to be, in force. Absent in earlier records, where it was enforced at once. */
    mode: z
      .enum(['ENFORCE', 'SHADOW'])
      .nullish()
      .transform((value) => value ?? 'ENFORCE'),
    ...{ effectiveFrom: time, effectiveUntil: time },
    /** Of the policy's cases; null where there are none, and in earlier records. */
    casesDigest: text,
    /** Of the draft concerned; null where a revision is. */
    draftVersion: maybe(wholeNumber),
    ...{ author: text, reviewer: text },
    /** The revision whose text is published anew. */
    repeats: maybe(wholeNumber),
    reviewSubject: maybe(z.enum(['PUBLISH', 'RETIRE'])),
    /** Of what is applied as code: where the folder is of which it is part, and the digest of what that says. */
    ...{ repository: text, bundle: maybe(digest) },
    /** How many of the cases passed, and how many did not; null where they were not tried. */
    ...{ casesPassed: maybe(wholeNumber), casesFailed: maybe(wholeNumber) },
    /** The names of what was warned of; of a publish, all of it was confirmed. */
    warnings: maybe(z.array(z.string())),
    /** Of the report of the backtest that it was published on. */
    backtestDigest: maybe(digest),
  }),
);

export const policySettings = payload(
  'policySettings',
  z.object({
    ...{ namespaceId: id, isReviewRequired: z.boolean(), wasReviewRequired: z.boolean() },
    /** Users whose applies as code need none. Absent in earlier records. */
    trustedAppliers: maybe(z.array(z.string())),
    /** What a backtest must cover, and may change, before a publish. Null where none is demanded or allowed. Absent in earlier records. */
    ...{ backtestDays: maybe(wholeNumber), maxNewlyDenied: maybe(wholeNumber), maxNewlyAsked: maybe(wholeNumber) },
    maxNewlyAllowed: maybe(wholeNumber),
  }),
);

export const policyBacktest = payload(
  'policyBacktest',
  z.object({
    ...{ backtestId: id, policyId: id, name: z.string(), namespaceId: id, subject: z.enum(['PUBLISH', 'RETIRE']), digest },
    ...{ baseline: z.enum(['IN_FORCE', 'RECORDED']), from: z.iso.datetime(), to: z.iso.datetime(), isFiltered: z.boolean() },
    ...{ decisions: wholeNumber, newlyDenied: wholeNumber, newlyAsked: wholeNumber, newlyAllowed: wholeNumber, reportDigest: digest },
    ...{ skipped: wholeNumber, withoutArguments: wholeNumber, notReproduced: wholeNumber, inForceDigest: digest },
  }),
);

const ruleVerdict = maybe(z.enum(['ALLOW', 'ASK', 'DENY']));

/** Null: no rule. */
export const toolRule = payload(
  'toolRule',
  z.object({
    ...{ namespaceId: id, tool: z.string(), agentClass: z.string(), verdict: ruleVerdict, previousVerdict: ruleVerdict, policyId: id },
  }),
);

export const tool = payload(
  'tool',
  z.object({
    toolId: id,
    namespaceId: id,
    definitionDigest: digest,
    previousDefinitionDigest: maybe(digest),
    actionType,
    actionTypeReason: text,
    labels: maybe(z.array(z.string())),
    reason: text,
  }),
);

export const stop = payload('stop', z.object({ agentId: id, reason: text, expiresAt: time }));

export const retentionDrop = payload(
  'retentionDrop',
  z.object({
    class: retentionClass,
    /** Null: all of the organization. */
    namespaceId: text,
    /** What was dropped: a whole month, in UTC, or from a time on and before another. */
    month: maybe(z.string().regex(/^\d{4}-(0[1-9]|1[0-2])$/)),
    from: time,
    to: time,
    firstPosition: maybe(wholeNumber),
    lastPosition: maybe(wholeNumber),
    count: wholeNumber,
  }),
);

/** Null: no setting of its own, so that of the namespace above holds. */
const days = maybe(wholeNumber.max(1_000_000));

export const retentionChange = payload('retentionChange', z.object({ namespaceId: id, class: retentionClass, days, previousDays: days }));

export const legalHold = payload(
  'legalHold',
  z.object({
    holdId: id,
    name: z.string(),
    reason: text,
    ...{ namespaceId: text, sessionId: text, userId: text, agentId: text },
    from: time,
    to: time,
  }),
);

export const contentReveal = payload('contentReveal', z.object({ eventIds: z.array(id).min(1), reason: text }));

const mode = z.enum(['FULL', 'METADATA_ONLY']);

export const recordingMode = payload('recordingMode', z.object({ namespaceId: id, mode, previousMode: maybe(mode) }));

/** `producer`: the source of whose events it speaks. */
export const sessionReport = payload('sessionReport', z.object({ producer: text, batchId: text, totalEventsSent: maybe(wholeNumber) }));
