-- Row-level security: an organization's rows exist only for whoever has named the organization, in the setting
-- governance.organization_id. The service works as the role below, which owns nothing and cannot bypass it. What must cross
-- organizations is done by the functions of this and later migrations, which run with the owner's rights and are all there is.

-- Roles belong to the whole cluster: another database's migration may have made it, or be making it right now.
DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'agent_governance_app') THEN
    CREATE ROLE agent_governance_app NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE;
  END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END
$$;

-- Whoever migrates may work as the service's role too, so that one login is enough where one is all there is.
DO $$
BEGIN
  IF NOT pg_has_role(current_user, 'agent_governance_app', 'SET') THEN
    EXECUTE format('GRANT agent_governance_app TO %I', current_user);
  END IF;
EXCEPTION WHEN unique_violation OR object_in_use THEN NULL;
END
$$;

-- The organization that a session has named; null, which equals nothing, when it has named none.
CREATE FUNCTION "current_organization"() RETURNS TEXT LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT nullif(current_setting('governance.organization_id', true), '')
$$;

-- The content of an event: prompts, answers and results. Kept apart, so that it can be dropped before the event is, and so that who
-- may read one need not read the other. The event's own bytes hold the salted hash of these.
CREATE TABLE "audit_event_content" (
    "event_id" UUID NOT NULL,
    "organization_id" TEXT NOT NULL,
    "organization_key" BIGINT NOT NULL,
    "salt" BYTEA NOT NULL,
    "json" JSON NOT NULL,
    CONSTRAINT "audit_event_content_pkey" PRIMARY KEY ("event_id")
) PARTITION BY RANGE ("event_id");

-- The seal stays with the position, also after the event has been dropped: what proves the log needs no event.
ALTER TABLE "log_entry" ADD COLUMN "seal" BYTEA;
UPDATE "log_entry" SET "seal" = e."seal" FROM "audit_event" e WHERE e."id" = "log_entry"."event_id";

-- No event before this position is there any more: readers begin behind it.
ALTER TABLE "log_head" ADD COLUMN "kept_from" BIGINT NOT NULL DEFAULT 0;

-- What events are looked up by, as numbers: hashes, seeded with what stands above. Global ids are long, and an index of them costs more
-- than the event. A query names the number and the id: numbers may coincide.
ALTER TABLE "audit_event" ADD COLUMN "organization_key" BIGINT, ADD COLUMN "namespace_key" BIGINT, ADD COLUMN "tool_key" BIGINT,
  ADD COLUMN "user_key" BIGINT, ADD COLUMN "agent_key" BIGINT, ADD COLUMN "session_key" BIGINT;
UPDATE "audit_event" SET
  "organization_key" = hashtextextended("organization_id", 0),
  "namespace_key" = hashtextextended("namespace_id", hashtextextended("organization_id", 0)),
  "tool_key" = hashtextextended("tool", hashtextextended("namespace_id", hashtextextended("organization_id", 0))),
  "user_key" = hashtextextended("user_id", hashtextextended("organization_id", 0)),
  "agent_key" = hashtextextended("agent_id", hashtextextended("organization_id", 0)),
  "session_key" = hashtextextended("session_id", hashtextextended("organization_id", 0));
ALTER TABLE "audit_event" ALTER COLUMN "organization_key" SET NOT NULL;
DROP INDEX "audit_event_organization_id_id_idx", "audit_event_organization_id_namespace_id_id_idx", "audit_event_organization_id_user_id_id_idx",
  "audit_event_organization_id_agent_id_id_idx", "audit_event_organization_id_session_id_id_idx";
CREATE INDEX "audit_event_organization_key_id_idx" ON "audit_event" ("organization_key", "id" DESC);
CREATE INDEX "audit_event_namespace_key_id_idx" ON "audit_event" ("namespace_key", "id" DESC);
CREATE INDEX "audit_event_tool_key_id_idx" ON "audit_event" ("tool_key", "id" DESC);
-- Of decisions alone: what was decided about a tool, by verdict.
CREATE INDEX "audit_event_decided_idx" ON "audit_event" ("tool_key", "verdict", "id" DESC) WHERE "verdict" IS NOT NULL;
CREATE INDEX "audit_event_user_key_id_idx" ON "audit_event" ("user_key", "id" DESC);
CREATE INDEX "audit_event_agent_key_id_idx" ON "audit_event" ("agent_key", "id" DESC);
CREATE INDEX "audit_event_session_key_id_idx" ON "audit_event" ("session_key", "id" DESC);
-- What was refused, what failed and what is of none of the common types is little, and looked for most.
CREATE INDEX "audit_event_refused_idx" ON "audit_event" ("organization_key", "id" DESC) WHERE "verdict" IN ('ASK', 'DENY');
CREATE INDEX "audit_event_failed_idx" ON "audit_event" ("organization_key", "id" DESC) WHERE "outcome" = 'FAILED';
CREATE INDEX "audit_event_uncommon_idx" ON "audit_event" ("organization_key", "type", "id" DESC) WHERE "type" NOT IN ('ai_agent_session_ended', 'ai_agent_session_started', 'ai_llm_input_sent', 'ai_llm_request_failed', 'ai_llm_response_received', 'ai_tool_decision_made', 'ai_tool_execution_failed', 'ai_tool_execution_retried', 'ai_tool_invoked', 'ai_tool_response_received', 'ai_user_input_received', 'ai_user_output_displayed');

-- Namespaces that were deleted, with the line that they had: what happened in them still belongs to those above.
CREATE TABLE "former_namespace" (
    "organization_id" TEXT NOT NULL,
    "id" TEXT NOT NULL,
    "ancestors" TEXT[],
    "deleted_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT "former_namespace_pkey" PRIMARY KEY ("organization_id", "id")
);

-- Namespaces of which only metadata is recorded, with all below.
CREATE TABLE "recording_setting" (
    "organization_id" TEXT NOT NULL,
    "namespace_id" TEXT NOT NULL,
    "mode" TEXT NOT NULL CHECK ("mode" IN ('METADATA_ONLY')),
    "set_at" TIMESTAMPTZ(3) NOT NULL,
    "set_by" TEXT NOT NULL,
    CONSTRAINT "recording_setting_pkey" PRIMARY KEY ("organization_id", "namespace_id")
);

-- Makes the partitions of a month, given by any day in it (UTC), unless they are there. ATTACH instead of PARTITION OF, which would
-- lock readers and writers of the whole table. Whoever waited for the lock must see what the winner made: to_regclass answers from a
-- cache of names that waiting does not refresh; a query does see it, since each statement of the function has a snapshot of its own.
CREATE OR REPLACE FUNCTION "audit_event_partition_ensure"("day" DATE) RETURNS VOID LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
  first_day CONSTANT DATE := date_trunc('month', day)::date;
  parent TEXT;
  partition TEXT;
BEGIN
  IF to_regclass('audit_event_content_' || to_char(first_day, 'YYYYMM')) IS NOT NULL THEN RETURN; END IF;
  PERFORM pg_advisory_xact_lock(7270736901);
  FOREACH parent IN ARRAY ARRAY['audit_event', 'audit_event_content'] LOOP
    partition := parent || '_' || to_char(first_day, 'YYYYMM');
    IF EXISTS (SELECT FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid WHERE inhparent = parent::regclass AND relname = partition) THEN CONTINUE; END IF;
    EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', partition, parent);
    EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', parent, partition,
      uuid_v7_floor(first_day::timestamp AT TIME ZONE 'UTC'),
      uuid_v7_floor((first_day + interval '1 month') AT TIME ZONE 'UTC'));
  END LOOP;
END
$$;

SELECT "audit_event_partition_ensure"(to_date(right(relname, 6), 'YYYYMM')) FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
WHERE inhparent = 'audit_event'::regclass;

-- Whether anything is stored that has no position. Looks without locking, so that an idle sequencer writes nothing; in the index's
-- order, so that it reads one entry and no table.
CREATE FUNCTION "log_sequence_peek"() RETURNS BOOLEAN LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT AS $$
  SELECT EXISTS (
    SELECT 1 FROM log_sequencer s, LATERAL (
      SELECT 1 FROM audit_event e WHERE (e.xid, e.seq) > (s.xid, s.seq) ORDER BY e.xid, e.seq LIMIT 1
    ) e)
$$;

-- Gives the next positions to at most max_events events, in every organization. One statement, so one transaction: positions, heads and
-- how far the sequencer has come move together or not at all. `seen` is locked first: should two processes ever think that they lead,
-- the second waits and then takes what comes next. Executed as text, so that each call is planned for the number it is given.
CREATE FUNCTION "log_sequence_step"("max_events" BIGINT) RETURNS TABLE ("organization_id" TEXT, "size" BIGINT, "taken" BIGINT)
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $function$
BEGIN
  RETURN QUERY EXECUTE $$
    WITH seen AS MATERIALIZED (
      SELECT xid, seq FROM log_sequencer WHERE id = 1 FOR UPDATE
    ), fresh AS MATERIALIZED (
      SELECT e.id, e.organization_id, e.xid, e.seq, e.seal
      FROM seen, LATERAL (
        SELECT e.id, e.organization_id, e.xid, e.seq, e.seal FROM audit_event e
        WHERE (e.xid, e.seq) > (seen.xid, seen.seq) AND e.xid < pg_snapshot_xmin(pg_current_snapshot())
        ORDER BY e.xid, e.seq LIMIT $1
      ) e
    ), counted AS (
      SELECT organization_id, count(*) AS taken FROM fresh GROUP BY organization_id
    ), heads AS (
      INSERT INTO log_head AS head (organization_id, size) SELECT organization_id, taken FROM counted
      ON CONFLICT (organization_id) DO UPDATE SET size = head.size + excluded.size
      RETURNING organization_id, size
    ), entries AS (
      INSERT INTO log_entry (organization_id, position, event_id, seal)
      SELECT organization_id, heads.size - counted.taken + row_number() OVER (PARTITION BY organization_id ORDER BY fresh.xid, fresh.seq) - 1, fresh.id, fresh.seal
      FROM fresh JOIN heads USING (organization_id) JOIN counted USING (organization_id)
    ), moved AS (
      UPDATE log_sequencer SET xid = last.xid, seq = last.seq
      FROM (SELECT xid, seq FROM fresh ORDER BY xid DESC, seq DESC LIMIT 1) last WHERE id = 1
    )
    SELECT heads.organization_id, heads.size, counted.taken FROM heads JOIN counted USING (organization_id)
  $$ USING max_events;
END
$function$;

-- Rights. Events, positions and revisions are added and read, never changed.
REVOKE EXECUTE ON FUNCTION "audit_event_partition_ensure"(DATE), "log_sequence_peek"(), "log_sequence_step"(BIGINT) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION "audit_event_partition_ensure"(DATE), "log_sequence_peek"(), "log_sequence_step"(BIGINT) TO agent_governance_app;
GRANT USAGE ON SCHEMA public TO agent_governance_app;
GRANT SELECT ON "log_sequencer" TO agent_governance_app;
GRANT USAGE ON SEQUENCE "audit_event_seq_seq" TO agent_governance_app;
GRANT SELECT ON "log_entry", "log_head" TO agent_governance_app;
GRANT SELECT, INSERT ON "audit_event", "audit_event_content", "event_key", "policy_revision" TO agent_governance_app;
GRANT SELECT, INSERT, UPDATE ON "organization", "policy", "tool" TO agent_governance_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON "recording_setting", "namespace", "former_namespace", "membership", "agent" TO agent_governance_app;

-- A subselect is evaluated once a statement, and what it gives can be looked up in an index.
DO $$
DECLARE
  name TEXT;
BEGIN
  FOREACH name IN ARRAY ARRAY['namespace', 'former_namespace', 'membership', 'agent', 'audit_event', 'audit_event_content', 'event_key', 'log_entry', 'log_head', 'policy', 'policy_revision', 'tool', 'recording_setting'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format('CREATE POLICY of_one_organization ON %I USING (organization_id = (SELECT current_organization()))', name);
  END LOOP;
END
$$;
ALTER TABLE "organization" ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_one_organization ON "organization" USING (id = (SELECT current_organization()));
