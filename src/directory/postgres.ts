import type { Prisma } from '../generated/prisma/client.js';
import { userId } from '../kernel/index.js';
import { hasAnyOf, sqlWithin, type SqlOf } from '../platform/postgres.js';
import type { Agent, DirectoryUser, Membership, Namespace, NamespaceKind, Role, ServiceAccount } from './namespace.js';
import {
  membershipKey,
  type AgentReader,
  type Directory,
  type DirectoryWriter,
  type EpochCounter,
  type NamespacePaths,
  type ServiceAccountReader,
} from './ports.js';

type NamespaceRow = Omit<Prisma.NamespaceGetPayload<object>, 'organizationId'>;
type AgentRow = Omit<Prisma.AgentGetPayload<object>, 'organizationId'>;
type AgentColumns = Omit<AgentRow, 'ownerId'> & { readonly owner_id: string | null };
type MembershipRow = Omit<Prisma.MembershipGetPayload<object>, 'organizationId'>;
type ServiceAccountColumns = { readonly user_id: string; readonly owner_id: string | null };
type NamespaceColumns = Omit<NamespaceRow, 'parentId' | 'dataClass' | 'timeZone'> & {
  readonly parent_id: string | null;
  readonly data_class: number | null;
  readonly time_zone: string | null;
};
type MembershipColumns = Pick<MembershipRow, 'role'> & { readonly user_id: string; readonly namespace_id: string };

/** The directory in Postgres, over any connection or inside one open transaction. */
export const postgresDirectory = (of: SqlOf): Directory & AgentReader & NamespacePaths & ServiceAccountReader => ({
  async standing(organizationId, user) {
    const rows = await of(organizationId).query<MembershipColumns>(
      'SELECT user_id, namespace_id, role FROM membership WHERE organization_id = $1 AND user_id = $2',
      [organizationId, user],
    );
    return { userId: userId(user), memberships: rows.map(fromMembershipColumns) };
  },

  async namespaces(organizationId, ids) {
    if (ids.length === 0) return [];
    const rows = await of(organizationId).query<NamespaceColumns>(
      `SELECT ${NAMESPACE_COLUMNS} FROM namespace WHERE organization_id = $1 AND id = ANY($2::text[])`,
      [organizationId, ids],
    );
    return rows.map(fromNamespaceColumns);
  },

  async lines(organizationId, ids) {
    if (ids.length === 0) return new Map();
    const rows = await of(organizationId).query<Pick<NamespaceRow, 'id' | 'ancestors'>>(LINES, [organizationId, ids]);
    return new Map(rows.map((row) => [row.id, row.ancestors]));
  },

  async fullPaths(organizationId, ids) {
    if (ids.length === 0) return new Map();
    const rows = await of(organizationId).query<{ readonly id: string; readonly path: string }>(FULL_PATHS, [
      organizationId,
      [...new Set(ids)],
    ]);
    return new Map(rows.map(({ id, path }) => [id, path]));
  },

  async agent(organizationId, id) {
    const [row] = await of(organizationId).query<AgentColumns>(
      `SELECT ${AGENT_COLUMNS} FROM agent WHERE organization_id = $1 AND id = $2`,
      [organizationId, id],
    );
    return row === undefined ? null : fromAgentColumns(row);
  },

  async agents(organizationId, ids) {
    if (ids.length === 0) return [];
    const rows = await of(organizationId).query<AgentColumns>(
      `SELECT ${AGENT_COLUMNS} FROM agent WHERE organization_id = $1 AND id = ANY($2::text[])`,
      [organizationId, ids],
    );
    return rows.map(fromAgentColumns);
  },

  async listAgents(organizationId, { ownedBy, after, limit }) {
    const rows = await of(organizationId).query<AgentColumns>(
      `SELECT ${AGENT_COLUMNS} FROM agent
       WHERE organization_id = $1 AND ($2::text IS NULL OR owner_id = $2) AND ($3::text IS NULL OR id > $3) ORDER BY id LIMIT $4`,
      [organizationId, ownedBy, after, limit],
    );
    return rows.map(fromAgentColumns);
  },

  async user(organizationId, id) {
    const [row] = await of(organizationId).query<DirectoryUser>(
      'SELECT id, teams FROM directory_user WHERE organization_id = $1 AND id = $2',
      [organizationId, id],
    );
    return row === undefined ? null : { id: row.id, teams: row.teams };
  },

  async epoch(organizationId) {
    const [row] = await of(organizationId).query<{ epoch: string }>('SELECT epoch FROM organization WHERE id = $1', [organizationId]);
    return Number(row?.epoch ?? 0);
  },

  async serviceAccounts(organizationId, known) {
    const [row] = await of(organizationId).query<{ epoch: string; accounts: readonly (readonly [string, string | null])[] | null }>(
      SERVICE_ACCOUNTS,
      [organizationId, known?.epoch ?? null],
    );
    const epoch = Number(row?.epoch ?? 0);
    return epoch === known?.epoch ? known : { epoch, owners: new Map(row?.accounts ?? []) };
  },
});

const SERVICE_ACCOUNTS = `
  SELECT o.epoch, CASE WHEN o.epoch IS DISTINCT FROM $2::bigint THEN
    (SELECT json_agg(json_build_array(a.user_id, a.owner_id)) FROM service_account a WHERE a.organization_id = $1) END AS accounts
  FROM organization o WHERE o.id = $1`;
const NAMESPACE_COLUMNS = 'id, kind, parent_id, path, name, ancestors, data_class, frozen, time_zone';

const AGENT_COLUMNS = 'id, name, classes, trust, owner_id, autonomous';

const LINES = `
  SELECT id, ancestors FROM namespace WHERE organization_id = $1 AND id = ANY($2::text[])
  UNION ALL
  SELECT id, ancestors FROM former_namespace f WHERE organization_id = $1 AND id = ANY($2::text[])
    AND NOT EXISTS (SELECT 1 FROM namespace n WHERE n.organization_id = $1 AND n.id = f.id)`;

const FULL_PATHS = `
  SELECT n.id, string_agg(above.path, '/' ORDER BY line.place) AS path
  FROM namespace n, unnest(n.ancestors) WITH ORDINALITY line (id, place), namespace above
  WHERE n.organization_id = $1 AND n.id = ANY($2::text[]) AND above.organization_id = $1 AND above.id = line.id
  GROUP BY n.id`;

/** The epoch inside one open transaction. */
export const postgresEpoch = (tx: Prisma.TransactionClient): EpochCounter => ({
  async raise(organizationId) {
    await tx.organization.update({ where: { id: organizationId }, data: { epoch: { increment: 1 } } });
  },
});

/** The directory inside one open transaction. */
export const postgresDirectoryWriter = (tx: Prisma.TransactionClient): DirectoryWriter => {
  const sql = sqlWithin(tx);
  return {
    async lockState(organizationId, mentioned) {
      await sql.query('INSERT INTO organization (id) VALUES ($1) ON CONFLICT DO NOTHING', [organizationId]);
      // Not the organization's row: whoever raises the epoch, to take a policy out of force say, must not wait for a long push. And
      // a transaction that has written nothing yet holds no event of anybody back from its position.
      await sql.query("SELECT pg_advisory_xact_lock(hashtextextended($1 || ' directory', 0))::text", [organizationId]);
      const { hasNamespaces, deletedNamespaceIds, memberships, agentIds, serviceAccountIds, ownerIds, userIds } = mentioned;
      const namespaceIds = hasNamespaces ? null : memberships.map(({ namespaceId }) => namespaceId);
      const [namespaces, members, agents, serviceAccounts, users] = [
        await sql.query<NamespaceColumns>(STATE_NAMESPACES, [organizationId, namespaceIds]),
        await sql.query<MembershipColumns>(STATE_MEMBERSHIPS, [organizationId, JSON.stringify(memberships), deletedNamespaceIds]),
        await tx.agent.findMany({ where: { organizationId, id: { in: [...new Set(agentIds)] } } }),
        await sql.query<ServiceAccountColumns>(STATE_SERVICE_ACCOUNTS, [
          organizationId,
          JSON.stringify([...serviceAccountIds, ...ownerIds]),
          JSON.stringify(serviceAccountIds),
        ]),
        await sql.query<DirectoryUser>('SELECT id, teams FROM directory_user WHERE organization_id = $1 AND id = ANY($2::text[])', [
          organizationId,
          userIds,
        ]),
      ];
      return {
        namespaces: new Map(namespaces.map((row) => [row.id, fromNamespaceColumns(row)])),
        memberships: new Map(members.map(fromMembershipColumns).map((row) => [membershipKey(row), row])),
        agents: new Map(agents.map((row) => [row.id, toAgent(row)])),
        serviceAccounts: new Map(serviceAccounts.map((row) => [row.user_id, toServiceAccount(row)])),
        users: new Map(users.map(({ id, teams }) => [id, { id, teams }])),
      };
    },

    async write(organizationId, { namespaces, memberships, agents, serviceAccounts, users }) {
      const all = [namespaces, memberships, agents, serviceAccounts, users];
      const size = all.reduce((sum, { put, remove }) => sum + put.length + remove.length, 0);
      if (size === 0) return;
      const put = (text: string, rows: readonly object[]) =>
        rows.length === 0 ? [] : sql.query(text, [organizationId, JSON.stringify(rows)]);
      const remove = (text: string, keys: readonly string[]) =>
        keys.length === 0 ? [] : sql.query(text, [organizationId, JSON.stringify(keys)]);
      await remove(REMOVE_NAMESPACES, namespaces.remove);
      await remove(REMOVE_MEMBERSHIPS, memberships.remove);
      await remove(REMOVE_AGENTS, agents.remove);
      await remove(REMOVE_SERVICE_ACCOUNTS, serviceAccounts.remove);
      await remove(REMOVE_USERS, users.remove);
      await put(PUT_NAMESPACES, namespaces.put);
      await put(PUT_MEMBERSHIPS, memberships.put);
      await put(PUT_AGENTS, agents.put);
      await put(PUT_SERVICE_ACCOUNTS, serviceAccounts.put);
      await put(PUT_USERS, users.put);
      await postgresEpoch(tx).raise(organizationId);
    },
  };
};

// Many rows again: Prisma takes ten times as long to read them.
const STATE_NAMESPACES = `
  SELECT ${NAMESPACE_COLUMNS} FROM namespace WHERE organization_id = $1 AND ($2::text[] IS NULL OR id = ANY($2::text[]))`;
const STATE_MEMBERSHIPS = `
  SELECT m.user_id, m.namespace_id, m.role
  FROM json_to_recordset($2::json) AS row ("userId" text, "namespaceId" text)
  JOIN membership m ON m.organization_id = $1 AND m.user_id = row."userId" AND m.namespace_id = row."namespaceId"
  UNION
  SELECT m.user_id, m.namespace_id, m.role
  FROM namespace n JOIN membership m ON m.organization_id = $1 AND m.namespace_id = n.id
  WHERE n.organization_id = $1 AND ${hasAnyOf('n.ancestors', '$3')}`;
const STATE_SERVICE_ACCOUNTS = `
  SELECT a.user_id, a.owner_id FROM json_array_elements_text($2::json) AS wanted (id) JOIN service_account a ON a.organization_id = $1 AND a.user_id = wanted.id
  UNION
  SELECT a.user_id, a.owner_id FROM json_array_elements_text($3::json) AS wanted (id) JOIN service_account a ON a.organization_id = $1 AND a.owner_id = wanted.id`;
// One statement a collection: 50,000 rows through Prisma's createMany would cost a hundred times the CPU.
const PUT_NAMESPACES = `
  INSERT INTO namespace (organization_id, id, kind, parent_id, path, name, ancestors, data_class, frozen, time_zone)
  SELECT $1, id, kind, "parentId", path, name, ARRAY(SELECT json_array_elements_text(ancestors)), "dataClass", "isFrozen", "timeZone"
  FROM json_to_recordset($2::json)
    AS row (id text, kind text, "parentId" text, path text, name text, ancestors json, "dataClass" smallint, "isFrozen" bool, "timeZone" text)
  ON CONFLICT (organization_id, id) DO UPDATE
  SET kind = excluded.kind, parent_id = excluded.parent_id, path = excluded.path, name = excluded.name, ancestors = excluded.ancestors,
    data_class = excluded.data_class, frozen = excluded.frozen, time_zone = excluded.time_zone`;
const PUT_MEMBERSHIPS = `
  INSERT INTO membership (organization_id, user_id, namespace_id, role)
  SELECT $1, "userId", "namespaceId", role FROM json_to_recordset($2::json) AS row ("userId" text, "namespaceId" text, role text)
  ON CONFLICT (organization_id, user_id, namespace_id) DO UPDATE SET role = excluded.role`;
const PUT_AGENTS = `
  INSERT INTO agent (organization_id, id, name, classes, trust, owner_id, autonomous)
  SELECT $1, id, name, ARRAY(SELECT json_array_elements_text(classes)), trust, "ownerId", autonomous
  FROM json_to_recordset($2::json) AS row (id text, name text, classes json, trust int, "ownerId" text, autonomous bool)
  ON CONFLICT (organization_id, id) DO UPDATE
  SET name = excluded.name, classes = excluded.classes, trust = excluded.trust, owner_id = excluded.owner_id, autonomous = excluded.autonomous`;
const PUT_SERVICE_ACCOUNTS = `
  INSERT INTO service_account (organization_id, user_id, owner_id)
  SELECT $1, "userId", "ownerId" FROM json_to_recordset($2::json) AS row ("userId" text, "ownerId" text)
  ON CONFLICT (organization_id, user_id) DO UPDATE SET owner_id = excluded.owner_id`;
const PUT_USERS = `
  INSERT INTO directory_user (organization_id, id, teams)
  SELECT $1, id, ARRAY(SELECT json_array_elements_text(teams)) FROM json_to_recordset($2::json) AS row (id text, teams json)
  ON CONFLICT (organization_id, id) DO UPDATE SET teams = excluded.teams`;
// What happened in a namespace outlives it, and is still seen by those above it.
const REMOVE_NAMESPACES = `
  WITH gone AS (
    DELETE FROM namespace WHERE organization_id = $1 AND id IN (SELECT json_array_elements_text($2::json)) RETURNING id, ancestors
  )
  INSERT INTO former_namespace (organization_id, id, ancestors) SELECT $1, id, ancestors FROM gone
  ON CONFLICT (organization_id, id) DO UPDATE SET ancestors = excluded.ancestors, deleted_at = excluded.deleted_at`;
const REMOVE_AGENTS = 'DELETE FROM agent WHERE organization_id = $1 AND id IN (SELECT json_array_elements_text($2::json))';
const REMOVE_SERVICE_ACCOUNTS =
  'DELETE FROM service_account WHERE organization_id = $1 AND user_id IN (SELECT json_array_elements_text($2::json))';
const REMOVE_USERS = 'DELETE FROM directory_user WHERE organization_id = $1 AND id IN (SELECT json_array_elements_text($2::json))';
const REMOVE_MEMBERSHIPS = `
  DELETE FROM membership WHERE organization_id = $1 AND (user_id, namespace_id) IN
  (SELECT key::json ->> 0, key::json ->> 1 FROM json_array_elements_text($2::json) AS key)`;

const fromNamespaceColumns = (row: NamespaceColumns): Namespace =>
  toNamespace({ ...row, parentId: row.parent_id, dataClass: row.data_class, timeZone: row.time_zone });
const fromMembershipColumns = (row: MembershipColumns): Membership =>
  toMembership({ ...row, userId: row.user_id, namespaceId: row.namespace_id });

const toNamespace = (row: NamespaceRow): Namespace => ({
  id: row.id,
  kind: row.kind as NamespaceKind,
  parentId: row.parentId,
  path: row.path,
  name: row.name,
  ancestors: row.ancestors,
  dataClass: row.dataClass,
  isFrozen: row.frozen,
  timeZone: row.timeZone,
});

const toMembership = (row: MembershipRow): Membership => ({ namespaceId: row.namespaceId, userId: row.userId, role: row.role as Role });

const fromAgentColumns = (row: AgentColumns): Agent => toAgent({ ...row, ownerId: row.owner_id });

const toServiceAccount = (row: ServiceAccountColumns): ServiceAccount => ({ userId: row.user_id, ownerId: row.owner_id });

const toAgent = (row: AgentRow): Agent => ({
  id: row.id,
  name: row.name,
  classes: row.classes,
  trust: row.trust,
  ownerId: row.ownerId,
  autonomous: row.autonomous,
});
