import type { ResolversTypes } from '../../generated/graphql.js';
import { presentEvent, type StoredEvent } from '../../audit/index.js';
import type { Reason } from '../../policy/index.js';
import { decisionIn } from '../decision.js';

export type PresentedDecision = Awaited<ResolversTypes['AgentDecision']>;

/** The decision that an event records; null when it records none. */
export function presentDecision(stored: StoredEvent): PresentedDecision | null {
  const decision = decisionIn(stored);
  if (decision === null) return null;
  const { toolId, reasons, shadow, ...rest } = decision;
  const watched = shadow === null ? null : { ...shadow, reasons: shadow.reasons.map(presentReason) };
  return {
    ...rest,
    reasons: reasons.map(presentReason),
    shadow: watched,
    tool: toolId === null ? null : { id: toolId },
    event: presentEvent(stored),
  };
}

export const presentReason = ({ severity, ...reason }: Reason) => ({ ...reason, severity: presentSeverity(severity) });

export const presentSeverity = (severity: Reason['severity']) => (severity === undefined ? null : SEVERITIES[severity]);

const SEVERITIES = { low: 'LOW', medium: 'MEDIUM', high: 'HIGH', critical: 'CRITICAL' } as const;
