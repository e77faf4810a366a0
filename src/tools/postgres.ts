import type { Prisma } from '../generated/prisma/client.js';
import { Prisma as PrismaValues } from '../generated/prisma/client.js';
import type { JsonObject } from '../kernel/index.js';
import { groupByPlace, hasAnyOf, sqlWithin, type SqlOf } from '../platform/postgres.js';
import type { ToolReader, ToolWriter } from './ports.js';
import type { ActionType, Annotations, Tool } from './tool.js';

interface ToolRow {
  readonly id: string;
  readonly namespace_id: string;
  readonly title: string | null;
  readonly description: string | null;
  readonly aliases: readonly string[];
  readonly input_schema: string;
  readonly output_schema: string | null;
  readonly annotations: string;
  readonly action_type: string;
  readonly action_type_reason: string | null;
  readonly definition_digest: string;
  readonly registered_at: Date;
  readonly changed_at: Date;
  readonly registered_by: string;
  readonly labels: readonly string[];
}

const COLUMNS = `t.id, t.namespace_id, t.title, t.description, t.aliases, t.input_schema::text AS input_schema, t.output_schema::text AS output_schema,
  t.annotations::text AS annotations, t.action_type, t.action_type_reason, t.definition_digest, t.registered_at, t.changed_at, t.registered_by, t.labels`;

/** The registry for readers. */
export const postgresTools = (of: SqlOf): ToolReader => ({
  async byIds(organizationId, ids) {
    const rows = await of(organizationId).query<ToolRow>(
      `SELECT ${COLUMNS} FROM tool t WHERE t.organization_id = $1 AND t.id = ANY($2::text[])`,
      [organizationId, ids],
    );
    return rows.map(toTool);
  },

  async byAnyName(organizationId, name) {
    const rows = await of(organizationId).query<ToolRow>(
      `SELECT ${COLUMNS} FROM tool t WHERE t.organization_id = $1 AND (t.id = $2 OR $2 = ANY(t.aliases) OR (right(t.id, length($2) + 1) = '/' || $2 AND strpos($2, '/') = 0))`,
      [organizationId, name],
    );
    return rows.map(toTool);
  },

  async list(organizationId, memberOf, { first, after }) {
    const rows = await of(organizationId).query<ToolRow>(
      `SELECT ${COLUMNS} FROM tool t JOIN namespace n ON n.organization_id = t.organization_id AND n.id = t.namespace_id
       WHERE t.organization_id = $1 AND ($3::text IS NULL OR t.id > $3)
         AND (${hasAnyOf('n.ancestors', '$2')} OR n.id = ANY(SELECT unnest(own.ancestors) FROM namespace own WHERE own.organization_id = $1 AND own.id = ANY($2::text[])))
       ORDER BY t.id LIMIT $4`,
      [organizationId, memberOf, after, first + 1],
    );
    return rows.map(toTool);
  },

  async listFor(organizationId, memberOf, projectIds, { first, after }) {
    const rows = await of(organizationId).query<ToolRow & { place: string; is_shown: boolean | null }>(
      `SELECT wanted.place, ${hasAnyOf('n.ancestors', '$3')} AS is_shown, t.*
       FROM unnest($2::text[]) WITH ORDINALITY AS wanted (id, place)
       LEFT JOIN namespace n ON n.organization_id = $1 AND n.id = wanted.id AND n.kind = 'PROJECT'
       LEFT JOIN LATERAL (
         SELECT ${COLUMNS} FROM tool t
         WHERE t.organization_id = $1 AND t.namespace_id = ANY(n.ancestors) AND ($4::text IS NULL OR t.id > $4) ORDER BY t.id LIMIT $5
       ) t ON ${hasAnyOf('n.ancestors', '$3')}
       ORDER BY wanted.place, t.id`,
      [organizationId, projectIds, memberOf, after, first + 1],
    );
    return groupByPlace(rows, projectIds.length).map((own) => {
      return own[0]?.is_shown === true ? own.flatMap((row) => (row.id === null ? [] : [toTool(row)])) : null;
    });
  },
});

/** The registry inside one open transaction. */
export const postgresToolWriter = (tx: Prisma.TransactionClient): ToolWriter => {
  const sql = sqlWithin(tx);
  return {
    async lock(organizationId, id) {
      // A row that is not there yet cannot be locked; the lock on its name can.
      await sql.query("SELECT pg_advisory_xact_lock(hashtextextended($1 || ' tool ' || $2, 0))::text", [organizationId, id]);
      const rows = await sql.query<ToolRow>(`SELECT ${COLUMNS} FROM tool t WHERE t.organization_id = $1 AND t.id = $2 FOR UPDATE`, [
        organizationId,
        id,
      ]);
      return rows[0] === undefined ? null : toTool(rows[0]);
    },

    async put(organizationId, { outputSchema, annotations, inputSchema, aliases, labels, ...rest }) {
      const json = (value: object): Prisma.InputJsonValue => JSON.parse(JSON.stringify(value)) as Prisma.InputJsonValue;
      const data = {
        ...rest,
        aliases: [...aliases],
        labels: [...labels],
        inputSchema: json(inputSchema),
        outputSchema: outputSchema === null ? PrismaValues.DbNull : json(outputSchema),
        annotations: json(annotations),
      };
      await tx.tool.upsert({
        where: { organizationId_id: { organizationId, id: rest.id } },
        create: { organizationId, ...data },
        update: data,
      });
    },
  };
};

const toTool = (row: ToolRow): Tool => ({
  id: row.id,
  namespaceId: row.namespace_id,
  title: row.title,
  description: row.description,
  aliases: row.aliases,
  inputSchema: JSON.parse(row.input_schema) as JsonObject,
  outputSchema: row.output_schema === null ? null : (JSON.parse(row.output_schema) as JsonObject),
  annotations: JSON.parse(row.annotations) as Annotations,
  actionType: row.action_type as ActionType,
  actionTypeReason: row.action_type_reason,
  definitionDigest: row.definition_digest,
  registeredAt: row.registered_at,
  changedAt: row.changed_at,
  registeredBy: row.registered_by,
  labels: row.labels,
});
