import { RETENTION_CLASSES, type RetentionClass } from '../catalogue.js';
import type { LegalHold } from '../retention/hold.js';
import type { Drop, RetentionSetting } from '../retention/ports.js';

export interface SettingRow {
  readonly namespace_id: string;
  readonly class: string;
  readonly days: number;
  readonly set_at: Date;
  readonly set_by: string;
}

export const SETTINGS = 'SELECT namespace_id, class, days, set_at, set_by FROM retention_setting WHERE organization_id = $1';
export const HOLDS = `SELECT id, name, reason, namespace_id, session_id, user_id, agent_id, from_time, to_time, placed_at, placed_by, lifted_at, lifted_by, lift_reason
  FROM legal_hold WHERE organization_id = $1`;

export const toSetting = (row: SettingRow): RetentionSetting => ({
  namespaceId: row.namespace_id,
  class: classIn(row.class),
  days: row.days,
  setAt: row.set_at,
  setBy: row.set_by,
});

function classIn(text: string): RetentionClass {
  const found = RETENTION_CLASSES.find((each) => each === text);
  if (found === undefined) throw new Error(`There is no retention class ${text}.`);
  return found;
}

export interface HoldRow {
  readonly id: string;
  readonly name: string;
  readonly reason: string;
  readonly namespace_id: string | null;
  readonly session_id: string | null;
  readonly user_id: string | null;
  readonly agent_id: string | null;
  readonly from_time: Date | null;
  readonly to_time: Date | null;
  readonly placed_at: Date;
  readonly placed_by: string;
  readonly lifted_at: Date | null;
  readonly lifted_by: string | null;
  readonly lift_reason: string | null;
}

export const toHold = (row: HoldRow): LegalHold => ({
  id: row.id,
  name: row.name,
  reason: row.reason,
  namespaceId: row.namespace_id,
  sessionId: row.session_id,
  userId: row.user_id,
  agentId: row.agent_id,
  from: row.from_time,
  to: row.to_time,
  placedAt: row.placed_at,
  placedBy: row.placed_by,
  lift:
    row.lifted_at === null || row.lifted_by === null || row.lift_reason === null
      ? null
      : { at: row.lifted_at, by: row.lifted_by, reason: row.lift_reason },
});

/** A drop as a row and as JSON have it. */
export interface DropRow {
  readonly class: string;
  readonly namespace_id: string | null;
  readonly from_time: Date | string;
  readonly to_time: Date | string;
  readonly first_position: bigint | number | string;
  readonly last_position: bigint | number | string;
  readonly count: bigint | number | string;
}

export const toDrop = (row: DropRow): Drop => ({
  class: classIn(row.class),
  namespaceId: row.namespace_id,
  from: new Date(row.from_time),
  to: new Date(row.to_time),
  firstPosition: Number(row.first_position),
  lastPosition: Number(row.last_position),
  count: Number(row.count),
});

export const fromDrop = (drop: Drop): DropRow => ({
  class: drop.class,
  namespace_id: drop.namespaceId,
  from_time: drop.from.toISOString(),
  to_time: drop.to.toISOString(),
  first_position: drop.firstPosition,
  last_position: drop.lastPosition,
  count: drop.count,
});
