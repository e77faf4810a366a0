-- What is kept of the log beside it, so that nobody has to read it whole: sessions with what their producers have sent, calls that never
-- reported an outcome, and counts by the hour. All of it follows from the events and their order, and is made by one function, which
-- takes each event once. Nobody else writes it.

-- How far the projector has come, in the order of (xid, seq). One row. From 0: what an older version has stored is projected too.
CREATE TABLE "log_projector" (
    "id" INTEGER NOT NULL CHECK ("id" = 1),
    "xid" xid8 NOT NULL,
    "seq" BIGINT NOT NULL,
    CONSTRAINT "log_projector_pkey" PRIMARY KEY ("id")
);
INSERT INTO "log_projector" ("id", "xid", "seq") VALUES (1, '0', 0);

-- Events by the hour or day (UTC) in which they occurred. namespace_id is empty in the rows of the whole organization; of those alone
-- there are days. No room is left for updates in the index, and some in the table, so that they change it alone.
CREATE TABLE "audit_rollup" (
    "organization_id" TEXT NOT NULL,
    "namespace_id" TEXT NOT NULL,
    "dimension" TEXT NOT NULL,
    "unit" TEXT NOT NULL,
    "start" TIMESTAMPTZ(0) NOT NULL,
    "value" TEXT NOT NULL,
    "events" BIGINT NOT NULL,
    CONSTRAINT "audit_rollup_pkey" PRIMARY KEY ("organization_id", "namespace_id", "dimension", "unit", "start", "value")
) WITH (fillfactor = 80);

-- Runs of agents. user_id and recorded_by are those of the session's first event in the log, and project_id is that of the first one
-- that names any: they decide what belongs to the session, so nothing that is reported later changes them. What events can tell in any
-- order is that of the earliest which tells it, whose id stands in the column ..._from.
CREATE TABLE "agent_session" (
    "organization_id" TEXT NOT NULL,
    "id" TEXT NOT NULL,
    "project_id" TEXT,
    "user_id" TEXT,
    "recorded_by" TEXT,
    "human_id" TEXT,
    "human_from" UUID,
    "agent_id" TEXT,
    "agent_from" UUID,
    "surface" TEXT,
    "surface_from" UUID,
    "execution_mode" TEXT,
    "execution_mode_from" UUID,
    "parent_session_id" TEXT,
    "parent_session_from" UUID,
    "workflow_type" TEXT,
    "workflow_type_from" UUID,
    "started_at" TIMESTAMPTZ(3) NOT NULL,
    "start_event_at" TIMESTAMPTZ(3),
    "first_event_at" TIMESTAMPTZ(3) NOT NULL,
    "last_event_at" TIMESTAMPTZ(3) NOT NULL,
    "status" TEXT NOT NULL,
    "status_from" UUID,
    "ended_at" TIMESTAMPTZ(3),
    "events" BIGINT NOT NULL,
    "allowed" BIGINT NOT NULL,
    "asked" BIGINT NOT NULL,
    "denied" BIGINT NOT NULL,
    "succeeded" BIGINT NOT NULL,
    "failed" BIGINT NOT NULL,
    "stray_events" BIGINT NOT NULL,
    CONSTRAINT "agent_session_pkey" PRIMARY KEY ("organization_id", "id")
) WITH (fillfactor = 70);
CREATE INDEX "agent_session_organization_id_started_at_id_idx" ON "agent_session" ("organization_id", "started_at" DESC, "id" DESC);
CREATE INDEX "agent_session_organization_id_project_id_started_at_id_idx" ON "agent_session" ("organization_id", "project_id", "started_at" DESC, "id" DESC);
CREATE INDEX "agent_session_organization_id_user_id_started_at_id_idx" ON "agent_session" ("organization_id", "user_id", "started_at" DESC, "id" DESC);
CREATE INDEX "agent_session_organization_id_human_id_started_at_id_idx" ON "agent_session" ("organization_id", "human_id", "started_at" DESC, "id" DESC);
CREATE INDEX "agent_session_organization_id_status_started_at_id_idx" ON "agent_session" ("organization_id", "status", "started_at" DESC, "id" DESC);
CREATE INDEX "agent_session_organization_id_agent_id_started_at_id_idx" ON "agent_session" ("organization_id", "agent_id", "started_at" DESC, "id" DESC);
CREATE INDEX "agent_session_organization_id_parent_session_id_started_at__idx" ON "agent_session" ("organization_id", "parent_session_id", "started_at" DESC, "id" DESC);

-- What each producer has sent of a session. `sequences` holds the numbers received, of which a million without a gap are one range; at
-- most the 10,000 lowest ranges of them, and `has_more` says that there were others. The key is a hash: a source can be too long for one.
CREATE TABLE "agent_session_source" (
    "organization_id" TEXT NOT NULL,
    "session_id" TEXT NOT NULL,
    "source_hash" BYTEA NOT NULL,
    "source" TEXT NOT NULL,
    "sequences" int8multirange,
    "has_more" BOOLEAN NOT NULL,
    "last_sequence" BIGINT,
    "numbered" BIGINT NOT NULL,
    "unnumbered" BIGINT NOT NULL,
    "is_final" BOOLEAN NOT NULL,
    "total_events_sent" BIGINT,
    CONSTRAINT "agent_session_source_pkey" PRIMARY KEY ("organization_id", "session_id", "source_hash")
);

-- Decisions that allowed a call of which no outcome was reported. session_id is empty for a call without a session.
CREATE TABLE "agent_open_call" (
    "organization_id" TEXT NOT NULL,
    "event_id" UUID NOT NULL,
    "session_id" TEXT NOT NULL,
    "call_id" TEXT NOT NULL,
    "project_id" TEXT,
    "user_id" TEXT,
    "agent_id" TEXT,
    "tool" TEXT,
    CONSTRAINT "agent_open_call_pkey" PRIMARY KEY ("organization_id", "event_id")
);
CREATE INDEX "agent_open_call_organization_id_session_id_call_id_idx" ON "agent_open_call" ("organization_id", "session_id", "call_id");
CREATE INDEX "agent_open_call_organization_id_project_id_event_id_idx" ON "agent_open_call" ("organization_id", "project_id", "event_id");
CREATE INDEX "agent_open_call_organization_id_user_id_event_id_idx" ON "agent_open_call" ("organization_id", "user_id", "event_id");

-- Whether there are more than 10,000 ranges, and the 10,000 lowest. A range takes 17 bytes or more: what is small need not be counted.
CREATE FUNCTION "has_more_ranges"("sequences" int8multirange) RETURNS BOOLEAN LANGUAGE sql IMMUTABLE AS $$
  SELECT coalesce(pg_column_size(sequences) >= 170000 AND (SELECT count(*) FROM unnest(sequences)) > 10000, false)
$$;
CREATE FUNCTION "lowest_ranges"("sequences" int8multirange) RETURNS int8multirange LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN pg_column_size(sequences) < 170000 THEN sequences
    ELSE (SELECT range_agg(lowest.range) FROM (SELECT range FROM unnest(sequences) range LIMIT 10000) lowest) END
$$;

-- The time in a UUID of version 7, of which `id` may hold only the beginning. uuid_extract_timestamp is not in Postgres 16.
CREATE FUNCTION "uuid_v7_time"("id" TEXT) RETURNS TIMESTAMPTZ LANGUAGE sql IMMUTABLE STRICT AS $$
  SELECT 'epoch'::timestamptz + ('x' || left(id, 8) || substr(id, 10, 4))::bit(48)::bigint * interval '1 millisecond'
$$;

-- Whether anything has a position that the projector has not taken.
CREATE FUNCTION "audit_project_step_due"() RETURNS BOOLEAN LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT AS $$
  SELECT (p.xid, p.seq) < (s.xid, s.seq) FROM log_projector p, log_sequencer s
$$;

-- Projects the next events that have a position, at most max_events of them and about 32 MB, each once: what it counts and how far it
-- has come are one transaction. Returns how many it took.
--
-- One works at a time. The lock is an advisory one and not that of the projector's row, because a lock on a row takes a number of
-- transaction, and the sequencer waits for all that have one: so this one has none while it reads and counts. What is read of sessions
-- must be what the one before has committed; each statement of the function sees that.
--
-- fresh: the events with what they say beside their columns, read once. known, placed, home: each session with what decides who belongs
-- to it, as it was before or as its first events make it; `first` is the session's name in here. sent: what came of each session from
-- each source, strays apart.
CREATE FUNCTION "audit_project_step"("max_events" BIGINT) RETURNS BIGINT
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET jit = off SET work_mem = '64MB' AS $function$
DECLARE
  reached RECORD;
  taken BIGINT;
  step CONSTANT TEXT := $$
    WITH fresh AS MATERIALIZED (
      SELECT e.n, e.id, e.id::text COLLATE "C" AS key, e.xid, e.seq,
        e.organization_id, e.type, e.namespace_id, e.project_id, e.user_id, e.agent_id, e.session_id, e.tool, e.verdict, e.outcome,
        left(d."occurredAt", 13) AS hour, d."source", d."recordedBy" AS recorded_by,
        nullif(d."humanId", e.user_id) AS human_id, d."parentSessionId" AS parent_session_id, d."surface", d."executionMode" AS execution_mode,
        d."sequence", d."callId" AS call_id,
        d."source" = '/agent-governance' AS is_own,
        e.type LIKE 'ai\_agent\_session\_%' OR e.type LIKE 'duo\_session\_%' AS is_of_life,
        CASE WHEN e.type LIKE 'ai\_agent\_session\_%' OR e.type LIKE 'duo\_session\_%' THEN d."data" END AS data
      FROM (
        SELECT e.*, row_number() OVER log AS n, sum(e.bytes) OVER log - e.bytes AS bytes_before FROM (
          SELECT id, xid, seq, organization_id, type, namespace_id, project_id, user_id, agent_id, session_id, tool, verdict, outcome, bytes, json
          FROM audit_event e WHERE (e.xid, e.seq) > ($2, $3) AND (e.xid, e.seq) <= ($4, $5) ORDER BY e.xid, e.seq LIMIT $1
        ) e WINDOW log AS (ORDER BY e.xid, e.seq ROWS UNBOUNDED PRECEDING)
      ) e, LATERAL json_to_record(
        CASE WHEN $6 AND strpos(e.json::text, '\u0000') > 0 THEN replace(e.json::text, '\u0000', '\ufffd')::json ELSE e.json END
      ) AS d ("occurredAt" text, "source" text, "recordedBy" text, "humanId" text, "parentSessionId" text, "surface" text, "executionMode" text, "sequence" bigint, "callId" text, "data" json)
      WHERE e.bytes_before < 32000000
    ), begun AS (
      SELECT organization_id, session_id, min(n) AS first FROM fresh WHERE session_id IS NOT NULL GROUP BY organization_id, session_id
    ), known AS MATERIALIZED (
      SELECT b.organization_id, b.session_id, b.first,
        CASE WHEN s.id IS NULL THEN f.project_id ELSE s.project_id END AS project_id,
        CASE WHEN s.id IS NULL THEN f.user_id ELSE s.user_id END AS user_id,
        CASE WHEN s.id IS NULL THEN f.recorded_by ELSE s.recorded_by END AS recorded_by
      FROM begun b JOIN fresh f ON f.n = b.first LEFT JOIN agent_session s ON s.organization_id = b.organization_id AND s.id = b.session_id
    ), placed AS MATERIALIZED (
      SELECT k.first, min(f.n) AS n, (array_agg(f.project_id ORDER BY f.n))[1] AS project_id
      FROM (SELECT * FROM known WHERE project_id IS NULL) k JOIN fresh f USING (organization_id, session_id)
      WHERE f.project_id IS NOT NULL AND (f.user_id IS NOT DISTINCT FROM k.user_id OR f.recorded_by = k.recorded_by) GROUP BY k.first
    ), home AS MATERIALIZED (
      SELECT k.organization_id, k.session_id, k.first, k.user_id, k.recorded_by, coalesce(k.project_id, p.project_id) AS project_id, coalesce(p.n, 0) AS since
      FROM known k LEFT JOIN placed p USING (first)
    ), sent AS MATERIALIZED (
      SELECT first, belongs, from_source AS source, bool_or(is_own) AS is_own, count(*) AS events,
        count(*) FILTER (WHERE verdict = 'ALLOW') AS allowed, count(*) FILTER (WHERE verdict = 'ASK') AS asked, count(*) FILTER (WHERE verdict = 'DENY') AS denied,
        count(*) FILTER (WHERE outcome = 'SUCCEEDED') AS succeeded, count(*) FILTER (WHERE outcome = 'FAILED') AS failed,
        min(key) AS first_key, max(key) AS last_key,
        min(key) FILTER (WHERE type IN ('ai_agent_session_started', 'duo_session_started')) AS start_key,
        min(key || agent_id) AS agent,
        min(key || human_id) FILTER (WHERE is_of_user) AS human,
        min(key || surface) AS surface, min(key || execution_mode) AS execution_mode, min(key || parent_session_id) AS parent_session,
        min(key || left(data ->> 'workflow_type', 200)) AS workflow_type,
        max(key || CASE type
          WHEN 'ai_agent_session_ended' THEN CASE data ->> 'status'
            WHEN 'success' THEN 'SUCCEEDED' WHEN 'failure' THEN 'FAILED' WHEN 'stopped' THEN 'STOPPED' WHEN 'aborted' THEN 'ABORTED' ELSE 'ENDED' END
          WHEN 'duo_session_finished' THEN 'SUCCEEDED' WHEN 'duo_session_failed' THEN 'FAILED' WHEN 'duo_session_stopped' THEN 'STOPPED'
          WHEN 'duo_session_resumed' THEN 'RUNNING' END) FILTER (WHERE is_of_life) AS status,
        range_agg(int8range(sequence, sequence, '[]')) FILTER (WHERE sequence IS NOT NULL) AS sequences,
        max(sequence) AS last_sequence, count(sequence) AS numbered,
        count(*) FILTER (WHERE sequence IS NULL AND NOT is_report) AS unnumbered, bool_or(is_report) AS is_final,
        max(CASE WHEN is_report THEN (data ->> 'totalEventsSent')::bigint END) AS total_events_sent
      FROM (
        SELECT f.*, h.first, f.user_id IS NOT DISTINCT FROM h.user_id AS is_of_user,
          coalesce(CASE WHEN f.project_id IS NULL THEN f.user_id IS NOT DISTINCT FROM h.user_id OR f.recorded_by = h.recorded_by
            ELSE f.project_id = h.project_id AND f.n >= h.since END, false) AS belongs,
          f.is_own AND f.type = 'ai_agent_session_report_finished' AS is_report,
          CASE WHEN f.is_own AND f.type = 'ai_agent_session_report_finished' THEN f.data ->> 'producer' ELSE f.source END AS from_source
        FROM fresh f JOIN home h USING (organization_id, session_id) OFFSET 0
      ) t
      GROUP BY first, belongs, from_source
    ), sessions AS (
      INSERT INTO agent_session AS s (organization_id, id, project_id, user_id, recorded_by, human_id, human_from, agent_id, agent_from,
        surface, surface_from, execution_mode, execution_mode_from, parent_session_id, parent_session_from, workflow_type, workflow_type_from,
        started_at, start_event_at, first_event_at, last_event_at, status, status_from, ended_at,
        events, allowed, asked, denied, succeeded, failed, stray_events)
      SELECT h.organization_id, h.session_id, h.project_id, h.user_id, h.recorded_by, substr(c.human, 37), left(c.human, 36)::uuid,
        substr(c.agent, 37), left(c.agent, 36)::uuid, substr(c.surface, 37), left(c.surface, 36)::uuid, substr(c.execution_mode, 37), left(c.execution_mode, 36)::uuid,
        substr(c.parent_session, 37), left(c.parent_session, 36)::uuid, substr(c.workflow_type, 37), left(c.workflow_type, 36)::uuid,
        -- Of a session that is there already there may be strays alone.
        coalesce(uuid_v7_time(coalesce(c.start_key, c.first_key)), 'infinity'), uuid_v7_time(c.start_key),
        coalesce(uuid_v7_time(c.first_key), 'infinity'), coalesce(uuid_v7_time(c.last_key), '-infinity'),
        coalesce(substr(c.status, 37), 'RUNNING'), left(c.status, 36)::uuid, CASE WHEN substr(c.status, 37) <> 'RUNNING' THEN uuid_v7_time(c.status) END,
        coalesce(c.events, 0), coalesce(c.allowed, 0), coalesce(c.asked, 0), coalesce(c.denied, 0), coalesce(c.succeeded, 0), coalesce(c.failed, 0), c.stray_events
      FROM home h JOIN (
        SELECT first, sum(events) FILTER (WHERE belongs) AS events, coalesce(sum(events) FILTER (WHERE NOT belongs), 0) AS stray_events,
          sum(allowed) FILTER (WHERE belongs) AS allowed, sum(asked) FILTER (WHERE belongs) AS asked, sum(denied) FILTER (WHERE belongs) AS denied,
          sum(succeeded) FILTER (WHERE belongs) AS succeeded, sum(failed) FILTER (WHERE belongs) AS failed,
          min(first_key) FILTER (WHERE belongs) AS first_key, max(last_key) FILTER (WHERE belongs) AS last_key, min(start_key) FILTER (WHERE belongs) AS start_key,
          min(agent) FILTER (WHERE belongs) AS agent, min(human) FILTER (WHERE belongs) AS human, min(surface) FILTER (WHERE belongs) AS surface,
          min(execution_mode) FILTER (WHERE belongs) AS execution_mode, min(parent_session) FILTER (WHERE belongs) AS parent_session,
          min(workflow_type) FILTER (WHERE belongs) AS workflow_type, max(status) FILTER (WHERE belongs) AS status
        FROM sent GROUP BY first
      ) c USING (first)
      ON CONFLICT (organization_id, id) DO UPDATE SET
        project_id = excluded.project_id,
        human_id = CASE WHEN s.human_from <= excluded.human_from OR excluded.human_from IS NULL THEN s.human_id ELSE excluded.human_id END,
        human_from = least(s.human_from, excluded.human_from),
        agent_id = CASE WHEN s.agent_from <= excluded.agent_from OR excluded.agent_from IS NULL THEN s.agent_id ELSE excluded.agent_id END,
        agent_from = least(s.agent_from, excluded.agent_from),
        surface = CASE WHEN s.surface_from <= excluded.surface_from OR excluded.surface_from IS NULL THEN s.surface ELSE excluded.surface END,
        surface_from = least(s.surface_from, excluded.surface_from),
        execution_mode = CASE WHEN s.execution_mode_from <= excluded.execution_mode_from OR excluded.execution_mode_from IS NULL THEN s.execution_mode ELSE excluded.execution_mode END,
        execution_mode_from = least(s.execution_mode_from, excluded.execution_mode_from),
        parent_session_id = CASE WHEN s.parent_session_from <= excluded.parent_session_from OR excluded.parent_session_from IS NULL THEN s.parent_session_id ELSE excluded.parent_session_id END,
        parent_session_from = least(s.parent_session_from, excluded.parent_session_from),
        workflow_type = CASE WHEN s.workflow_type_from <= excluded.workflow_type_from OR excluded.workflow_type_from IS NULL THEN s.workflow_type ELSE excluded.workflow_type END,
        workflow_type_from = least(s.workflow_type_from, excluded.workflow_type_from),
        started_at = coalesce(least(s.start_event_at, excluded.start_event_at), least(s.first_event_at, excluded.first_event_at)),
        start_event_at = least(s.start_event_at, excluded.start_event_at),
        first_event_at = least(s.first_event_at, excluded.first_event_at),
        last_event_at = greatest(s.last_event_at, excluded.last_event_at),
        status = CASE WHEN s.status_from >= excluded.status_from OR excluded.status_from IS NULL THEN s.status ELSE excluded.status END,
        ended_at = CASE WHEN s.status_from >= excluded.status_from OR excluded.status_from IS NULL THEN s.ended_at ELSE excluded.ended_at END,
        status_from = greatest(s.status_from, excluded.status_from),
        events = s.events + excluded.events,
        allowed = s.allowed + excluded.allowed,
        asked = s.asked + excluded.asked,
        denied = s.denied + excluded.denied,
        succeeded = s.succeeded + excluded.succeeded,
        failed = s.failed + excluded.failed,
        stray_events = s.stray_events + excluded.stray_events
    ), sources AS (
      INSERT INTO agent_session_source AS s (organization_id, session_id, source_hash, source, sequences, has_more, last_sequence, numbered, unnumbered, is_final, total_events_sent)
      SELECT h.organization_id, h.session_id, sha256(convert_to(c.source, 'UTF8')), c.source, lowest_ranges(c.sequences), has_more_ranges(c.sequences),
        c.last_sequence, c.numbered, c.unnumbered, c.is_final, c.total_events_sent
      FROM sent c JOIN home h USING (first) WHERE c.belongs AND (c.is_final OR NOT c.is_own)
      ON CONFLICT (organization_id, session_id, source_hash) DO UPDATE SET
        sequences = coalesce(lowest_ranges(s.sequences + excluded.sequences), s.sequences, excluded.sequences),
        has_more = s.has_more OR excluded.has_more OR has_more_ranges(s.sequences + excluded.sequences),
        last_sequence = greatest(s.last_sequence, excluded.last_sequence),
        numbered = s.numbered + excluded.numbered,
        unnumbered = s.unnumbered + excluded.unnumbered,
        is_final = s.is_final OR excluded.is_final,
        total_events_sent = greatest(s.total_events_sent, excluded.total_events_sent)
    ), outcome AS MATERIALIZED (
      SELECT n, organization_id, coalesce(session_id, '') AS session_id, call_id, project_id, user_id, recorded_by
      FROM fresh WHERE outcome IS NOT NULL AND call_id IS NOT NULL
    ), closed AS (
      DELETE FROM agent_open_call c USING outcome o
      WHERE c.organization_id = o.organization_id AND c.session_id = o.session_id AND c.call_id = o.call_id
        AND (o.project_id = c.project_id OR (o.project_id IS NULL AND c.user_id IN (o.user_id, o.recorded_by)))
    ), opened AS (
      INSERT INTO agent_open_call (organization_id, event_id, session_id, call_id, project_id, user_id, agent_id, tool)
      SELECT c.organization_id, c.id, c.session_id, c.call_id, c.project_id, c.user_id, c.agent_id, c.tool
      FROM (
        SELECT n, organization_id, id, coalesce(session_id, '') AS session_id, coalesce(call_id, key) AS call_id, project_id, user_id, agent_id, tool
        FROM fresh WHERE verdict = 'ALLOW' AND is_own
      ) c
      WHERE NOT EXISTS (
        SELECT 1 FROM outcome o
        WHERE o.organization_id = c.organization_id AND o.session_id = c.session_id AND o.call_id = c.call_id AND o.n > c.n
          AND (o.project_id = c.project_id OR (o.project_id IS NULL AND c.user_id IN (o.user_id, o.recorded_by)))
      )
    ), by_hour AS MATERIALIZED (
      SELECT organization_id, namespace_id, hour,
        CASE grouping(type, verdict, tool, agent_id) WHEN 7 THEN 'TYPE' WHEN 11 THEN 'VERDICT' WHEN 13 THEN 'TOOL' ELSE 'AGENT' END AS dimension,
        coalesce(type, verdict, tool, agent_id) AS value, count(*) AS events
      FROM fresh
      GROUP BY organization_id, namespace_id, hour, GROUPING SETS ((type), (verdict), (tool), (agent_id))
    ), of_whole AS MATERIALIZED (
      SELECT organization_id, hour, dimension, value, sum(events)::bigint AS events FROM by_hour WHERE value IS NOT NULL
      GROUP BY organization_id, hour, dimension, value
    ), rolled AS (
      INSERT INTO audit_rollup AS r (organization_id, namespace_id, dimension, unit, start, value, events)
      SELECT organization_id, namespace_id, dimension, 'HOUR', (hour || ':00Z')::timestamptz, value, events FROM by_hour WHERE value IS NOT NULL AND namespace_id IS NOT NULL
      UNION ALL
      SELECT organization_id, '', dimension, 'HOUR', (hour || ':00Z')::timestamptz, value, events FROM of_whole
      UNION ALL
      SELECT organization_id, '', dimension, 'DAY', (left(hour, 10) || 'T00:00Z')::timestamptz, value, sum(events) FROM of_whole
      GROUP BY organization_id, dimension, left(hour, 10), value
      ON CONFLICT (organization_id, namespace_id, dimension, unit, start, value) DO UPDATE SET events = r.events + excluded.events
    ), moved AS (
      -- What was dropped before it was projected is passed by.
      UPDATE log_projector SET (xid, seq) = (
        SELECT xid, seq FROM (
          SELECT xid, seq FROM fresh UNION ALL SELECT $4, $5 WHERE NOT EXISTS (SELECT 1 FROM fresh)
        ) reached ORDER BY xid DESC, seq DESC LIMIT 1
      ) WHERE id = 1
    )
    SELECT count(*) FROM fresh
  $$;
BEGIN
  PERFORM pg_advisory_xact_lock(7270736905);
  SELECT p.xid, p.seq, s.xid AS end_xid, s.seq AS end_seq INTO reached FROM log_projector p, log_sequencer s;
  IF (reached.xid, reached.seq) >= (reached.end_xid, reached.end_seq) THEN RETURN 0; END IF;
  BEGIN
    EXECUTE step INTO taken USING max_events, reached.xid, reached.seq, reached.end_xid, reached.end_seq, false;
  EXCEPTION WHEN untranslatable_character THEN
    -- A string somewhere among them holds NUL, which JSON can say and text cannot. Looking for it in each event costs a tenth of all.
    EXECUTE step INTO taken USING max_events, reached.xid, reached.seq, reached.end_xid, reached.end_seq, true;
  END;
  RETURN taken;
END
$function$;

-- Rights. Only the function writes.
REVOKE EXECUTE ON FUNCTION "has_more_ranges"(int8multirange), "lowest_ranges"(int8multirange), "uuid_v7_time"(TEXT), "audit_project_step_due"(), "audit_project_step"(BIGINT) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION "audit_project_step_due"(), "audit_project_step"(BIGINT) TO agent_governance_app;
GRANT SELECT ON "log_projector", "audit_rollup", "agent_session", "agent_session_source", "agent_open_call" TO agent_governance_app;

DO $$
DECLARE
  name TEXT;
BEGIN
  FOREACH name IN ARRAY ARRAY['audit_rollup', 'agent_session', 'agent_session_source', 'agent_open_call'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format('CREATE POLICY of_one_organization ON %I USING (organization_id = (SELECT current_organization()))', name);
  END LOOP;
END
$$;
