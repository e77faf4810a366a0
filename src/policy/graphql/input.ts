import { z } from 'zod';
import { isPlain, isPlainText, isWellFormed } from '../../kernel/index.js';

const text = (longest: number, isFit = isPlainText, base = z.string()) =>
  base
    .max(longest, `must have at most ${longest} characters`)
    .refine(isFit, 'must not hold control characters')
    .refine(isWellFormed, 'must be well-formed Unicode');

const optional = <Schema extends z.ZodType>(schema: Schema) => schema.nullish().transform((value) => value ?? null);
const number = z.number().min(0, 'must be 0 or a revision’s number');
const message = optional(text(1_000));
const moment = optional(
  z.iso
    .datetime({ offset: true, error: 'must be an RFC 3339 time with seconds and a zone, for example 2026-11-22T09:30:00.000Z' })
    .transform((value) => new Date(value)),
);
const enforcement = {
  mode: z
    .enum(['ENFORCE', 'SHADOW'])
    .nullish()
    .transform((value) => value ?? 'ENFORCE'),
  effectiveFrom: moment,
  effectiveUntil: moment,
};

export const CreateInput = z.object({
  namespaceId: text(300),
  name: text(100, isPlain, z.string().trim().min(1, 'must not be empty')),
  description: optional(text(1_000)),
  text: z.string(),
});
export const DraftSaveInput = z.object({ policyId: z.string(), draftVersion: z.number(), text: z.string() });
export const ReviewInput = z.object({
  policyId: z.string(),
  subject: z
    .enum(['PUBLISH', 'RETIRE'])
    .nullish()
    .transform((value) => value ?? 'PUBLISH'),
  digest: z.string().regex(/^[0-9a-f]{64}$/, 'must be a SHA-256 in lower-case hexadecimal'),
  message,
  ...enforcement,
});
export const PublishInput = z.object({
  policyId: z.string(),
  basedOn: number,
  text: optional(z.string()),
  draftVersion: optional(z.number()),
  message,
  ...enforcement,
});
export const RollbackInput = z.object({ policyId: z.string(), basedOn: number, toRevision: number, message, ...enforcement });
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
