import { z } from 'zod';
import { isPlain, isPlainText, isWellFormed } from '../../kernel/index.js';
import { MAX_BUNDLE_POLICIES } from '../bundle.js';

const text = (longest: number, isFit = isPlainText, base = z.string()) =>
  base
    .max(longest, `must have at most ${longest} characters`)
    .refine(isFit, 'must not hold control characters')
    .refine(isWellFormed, 'must be well-formed Unicode');

const optional = <Schema extends z.ZodType>(schema: Schema) => schema.nullish().transform((value) => value ?? null);
const number = z.number().min(0, 'must be 0 or a revision’s number');
const message = optional(text(1_000));
const confirm = z
  .array(z.string())
  .max(500, 'must hold at most 500 names')
  .nullish()
  .transform((value) => value ?? []);
const moment = optional(
  z.iso
    .datetime({ offset: true, error: 'must be an RFC 3339 time with seconds and a zone, for example 2026-11-22T09:30:00.000Z' })
    .transform((value) => new Date(value)),
);
const digest = z.string().regex(/^[0-9a-f]{64}$/, 'must be a SHA-256 in lower-case hexadecimal');
const enforcement = {
  mode: z
    .enum(['ENFORCE', 'SHADOW'])
    .nullish()
    .transform((value) => value ?? 'ENFORCE'),
  effectiveFrom: moment,
  effectiveUntil: moment,
};

const name = z
  .string()
  .min(1, 'must not be empty')
  .refine((text) => text.trim() === text, 'must not begin or end with white space')
  .pipe(text(100, isPlain));

export const CreateInput = z.object({
  namespaceId: text(300),
  name: text(100, isPlain, z.string().trim().min(1, 'must not be empty')),
  description: optional(text(1_000)),
  text: z.string(),
  cases: optional(z.string()),
});
export const DraftSaveInput = z.object({ policyId: z.string(), draftVersion: z.number(), text: z.string(), cases: optional(z.string()) });
export const ReviewInput = z.object({
  policyId: z.string(),
  subject: z
    .enum(['PUBLISH', 'RETIRE'])
    .nullish()
    .transform((value) => value ?? 'PUBLISH'),
  digest,
  casesDigest: optional(digest),
  message,
  ...enforcement,
});
export const PublishInput = z.object({
  policyId: z.string(),
  basedOn: number,
  text: optional(z.string()),
  cases: optional(z.string()),
  draftVersion: optional(z.number()),
  message,
  confirm,
  ...enforcement,
});
export const RollbackInput = z.object({ policyId: z.string(), basedOn: number, toRevision: number, message, confirm, ...enforcement });
export const TestInput = z.object({
  policyId: optional(z.string()),
  namespaceId: optional(text(300)),
  text: optional(z.string()),
  cases: optional(z.string()),
});
export const RetireInput = z.object({ policyId: z.string(), basedOn: number, message });
const atMost = z
  .number()
  .min(0, 'must be 0 or more')
  .nullish()
  .transform((value) => value ?? null);
/** What is not there stays as it is; a null takes it back. */
export const SettingsInput = z.object({
  namespaceId: text(300),
  isReviewRequired: z
    .boolean()
    .nullish()
    .transform((value) => value ?? undefined),
  trustedAppliers: z
    .array(text(300, isPlain, z.string().min(1, 'must not be empty')))
    .max(20, 'must hold at most 20 ids')
    .nullish()
    .transform((ids) => (ids == null ? undefined : [...new Set(ids)].sort())),
  backtest: z
    .object({
      days: z
        .number()
        .min(1, 'must be 1 to 366')
        .max(366, 'must be 1 to 366')
        .nullish()
        .transform((value) => value ?? 30),
      ...{ maxNewlyDenied: atMost, maxNewlyAsked: atMost, maxNewlyAllowed: atMost },
    })
    .nullish(),
});
export const BacktestInput = z.object({
  policyId: z.string(),
  subject: z
    .enum(['PUBLISH', 'RETIRE'])
    .nullish()
    .transform((value) => value ?? 'PUBLISH'),
  text: optional(z.string()),
  baseline: z
    .enum(['IN_FORCE', 'RECORDED'])
    .nullish()
    .transform((value) => value ?? 'IN_FORCE'),
  from: moment,
  to: moment,
});
export const ReleaseInput = z.object({ policyId: z.string(), message });
const bundled = z
  .array(z.object({ name, description: optional(text(1_000)), text: z.string(), cases: optional(z.string()), mode: enforcement.mode }))
  .max(MAX_BUNDLE_POLICIES, `must hold at most ${MAX_BUNDLE_POLICIES} policies; make several folders of it, for namespaces below`);
export const BundleTestInput = z.object({ namespaceId: text(300), policies: bundled });
export const BundleInput = z.object({
  namespaceId: text(300),
  policies: bundled,
  basedOn: z.array(
    z.object({
      ...{ policyId: z.string(), name: z.string(), revision: z.number() },
      origin: z.enum(['AUTHORED', 'TOOL_RULES', 'AS_CODE']),
    }),
  ),
  adopt: z
    .array(z.string())
    .nullish()
    .transform((names) => names ?? []),
  repository: optional(text(300, isPlain)),
  message,
  confirm: z
    .array(z.string())
    .max(10_000, 'must hold at most 10,000 names')
    .nullish()
    .transform((value) => value ?? []),
});
export const BundleNames = z.array(z.string()).max(MAX_BUNDLE_POLICIES, `must hold at most ${MAX_BUNDLE_POLICIES} names`);
export const RulesInput = z.object({
  namespaceId: text(300),
  rules: z
    .array(
      z.object({
        tool: z.string(),
        agentClass: z.string(),
        verdict: optional(z.enum(['ALLOW', 'ASK', 'DENY'])),
      }),
    )
    .min(1, 'must hold at least one rule')
    .max(1_000, 'must hold at most 1,000 rules'),
  message,
});
