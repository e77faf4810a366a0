-- The human behind a service account: who is one, who is responsible for it, and how the human of a session is known.

-- Users of the platform that are no humans, as the platform last told us, each with the human who is responsible for it.
CREATE TABLE "service_account" (
    "organization_id" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "owner_id" TEXT,
    CONSTRAINT "service_account_pkey" PRIMARY KEY ("organization_id", "user_id")
);
CREATE INDEX "service_account_organization_id_owner_id_idx" ON "service_account" ("organization_id", "owner_id");

-- How the human of a session is known, where no event of the session names one; null also where nobody has told of any.
ALTER TABLE "agent_session" ADD COLUMN "human_source" TEXT CHECK ("human_source" IN ('SESSION', 'DIRECTORY', 'UNKNOWN'));

-- What is told of a session's human counts in this order, and of the same kind that of the earliest event: whom an event names, whom the
-- session had named by then, whom the directory holds responsible, and last that nobody is known.
CREATE FUNCTION "human_rank"("source" TEXT) RETURNS TEXT LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE source WHEN 'SESSION' THEN '2' WHEN 'DIRECTORY' THEN '3' WHEN 'UNKNOWN' THEN '4' ELSE '1' END
$$;
CREATE FUNCTION "human_source_of"("rank" TEXT) RETURNS TEXT LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE rank WHEN '2' THEN 'SESSION' WHEN '3' THEN 'DIRECTORY' WHEN '4' THEN 'UNKNOWN' END
$$;
-- Whether what is known already, from the event `told`, counts before what an event `told_now` tells. Null, so no, when nothing is known.
CREATE FUNCTION "human_stays"("source" TEXT, "told" UUID, "source_now" TEXT, "told_now" UUID) RETURNS BOOLEAN LANGUAGE sql IMMUTABLE AS $$
  SELECT told_now IS NULL OR (human_rank(source) || told::text) COLLATE "C" <= (human_rank(source_now) || told_now::text) COLLATE "C"
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
--
-- This is the function of the migration `sessions`, with what is told of a session's human counting by how it is known.
CREATE OR REPLACE FUNCTION "audit_project_step"("max_events" BIGINT) RETURNS BIGINT
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET jit = off SET work_mem = '64MB' AS $function$
DECLARE
  reached RECORD;
  taken BIGINT;
  step CONSTANT TEXT := $$
    WITH fresh AS MATERIALIZED (
      SELECT e.n, e.id, e.id::text COLLATE "C" AS key, e.xid, e.seq,
        e.organization_id, e.type, e.namespace_id, e.project_id, e.user_id, e.agent_id, e.session_id, e.tool, e.verdict, e.outcome,
        left(d."occurredAt", 13) AS hour, d."source", d."recordedBy" AS recorded_by,
        nullif(d."humanId", e.user_id) AS human_id, d."humanSource" AS human_source, d."parentSessionId" AS parent_session_id, d."surface", d."executionMode" AS execution_mode,
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
      ) AS d ("occurredAt" text, "source" text, "recordedBy" text, "humanId" text, "humanSource" text, "parentSessionId" text, "surface" text, "executionMode" text, "sequence" bigint, "callId" text, "data" json)
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
        min(human_rank(human_source) || key || coalesce(human_id, '')) FILTER (WHERE is_of_user AND (human_id IS NOT NULL OR human_source = 'UNKNOWN')) AS human,
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
      INSERT INTO agent_session AS s (organization_id, id, project_id, user_id, recorded_by, human_id, human_from, human_source, agent_id, agent_from,
        surface, surface_from, execution_mode, execution_mode_from, parent_session_id, parent_session_from, workflow_type, workflow_type_from,
        started_at, start_event_at, first_event_at, last_event_at, status, status_from, ended_at,
        events, allowed, asked, denied, succeeded, failed, stray_events)
      SELECT h.organization_id, h.session_id, h.project_id, h.user_id, h.recorded_by,
        nullif(substr(c.human, 38), ''), substr(c.human, 2, 36)::uuid, human_source_of(left(c.human, 1)),
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
        human_id = CASE WHEN human_stays(s.human_source, s.human_from, excluded.human_source, excluded.human_from) THEN s.human_id ELSE excluded.human_id END,
        human_from = CASE WHEN human_stays(s.human_source, s.human_from, excluded.human_source, excluded.human_from) THEN s.human_from ELSE excluded.human_from END,
        human_source = CASE WHEN human_stays(s.human_source, s.human_from, excluded.human_source, excluded.human_from) THEN s.human_source ELSE excluded.human_source END,
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

-- Rights.
REVOKE EXECUTE ON FUNCTION "human_rank"(TEXT), "human_source_of"(TEXT), "human_stays"(TEXT, UUID, TEXT, UUID) FROM PUBLIC;
GRANT SELECT, INSERT, UPDATE, DELETE ON "service_account" TO agent_governance_app;
ALTER TABLE "service_account" ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_one_organization ON "service_account" USING (organization_id = (SELECT current_organization()));
