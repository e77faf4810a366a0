-- What is projected from events goes with them, so that nobody stands in a session, a list of calls or a count when nothing that tells of
-- them is left in the log. See docs/retention.md and docs/adr/0016-the-projection-is-retained-like-the-log.md.
--
-- Locks are taken in this order, before anything is written, since the sequencer waits for whoever has written: that of retention
-- (7270736903), so that settings and holds stand still, then that of the projector (7270736905), so that no event is counted meanwhile.

-- The text at a path of an event. Asking JSON itself fails for every member of an event that holds NUL in any string, which JSON can say
-- and text cannot: one such event would keep retention from going on where a user is held.
CREATE FUNCTION "event_text"("event" JSON, "path" TEXT[]) RETURNS TEXT LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT CASE WHEN strpos(event::text, '\u0000') = 0 THEN event ELSE replace(event::text, '\u0000', '\ufffd')::json END #>> path
$$;

CREATE OR REPLACE FUNCTION "retention_event_columns"() RETURNS TEXT LANGUAGE sql IMMUTABLE AS $$
  SELECT $_$e.id, e.organization_id, e.namespace_id, e.type, e.session_id, e.user_id, e.agent_id,
    CASE WHEN (SELECT EXISTS (SELECT 1 FROM legal_hold WHERE lifted_at IS NULL AND user_id IS NOT NULL)) THEN event_text(e.json, '{humanId}') END AS human_id$_$
$$;

-- Months whose events went at once: what an organization's counts say of them is made again, day by day.
CREATE TABLE "audit_recount" (
    "organization_id" TEXT NOT NULL,
    "since" TIMESTAMPTZ(0) NOT NULL,
    "until" TIMESTAMPTZ(0) NOT NULL,
    CONSTRAINT "audit_recount_pkey" PRIMARY KEY ("organization_id", "since")
);

-- What went of the projection; in a dry run, what would go.
ALTER TABLE "retention_run" ADD COLUMN "sessions" BIGINT NOT NULL DEFAULT 0, ADD COLUMN "open_calls" BIGINT NOT NULL DEFAULT 0;

-- The common table expressions `by_hour` and `total` over one that is called `counted` and holds events with the hour in which they
-- occurred as `start`: the rows of audit_rollup that they come to. The same sums as those of audit_project_step.
CREATE FUNCTION "audit_counting"() RETURNS TEXT LANGUAGE sql IMMUTABLE AS $outer$
  SELECT $$
  by_hour AS MATERIALIZED (
    SELECT organization_id, namespace_id, start,
      CASE grouping(type, verdict, tool, agent_id) WHEN 7 THEN 'TYPE' WHEN 11 THEN 'VERDICT' WHEN 13 THEN 'TOOL' ELSE 'AGENT' END AS dimension,
      coalesce(type, verdict, tool, agent_id) AS value, count(*) AS events
    FROM counted
    GROUP BY organization_id, namespace_id, start, GROUPING SETS ((type), (verdict), (tool), (agent_id))
  ), total AS MATERIALIZED (
    SELECT organization_id, namespace_id, dimension, 'HOUR' AS unit, start, value, events FROM by_hour WHERE value IS NOT NULL AND namespace_id IS NOT NULL
    UNION ALL
    SELECT organization_id, '', dimension, 'HOUR', start, value, sum(events)::bigint FROM by_hour WHERE value IS NOT NULL
    GROUP BY organization_id, dimension, start, value
    UNION ALL
    SELECT organization_id, '', dimension, 'DAY', date_trunc('day', start, 'UTC'), value, sum(events)::bigint FROM by_hour WHERE value IS NOT NULL
    GROUP BY organization_id, dimension, date_trunc('day', start, 'UTC'), value
  )$$
$outer$;

-- Takes events that are about to be deleted out of the counts; those that the projector has not come to are in none. The ids are in
-- order. To be called under the projector's lock. Counts are found by their key: there are many more of them than of events at a time.
CREATE FUNCTION "audit_uncount"("ids" UUID[]) RETURNS VOID
LANGUAGE plpgsql SET jit = off SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off AS $function$
BEGIN
  EXECUTE format($$
    WITH counted AS MATERIALIZED (
      SELECT e.organization_id, e.namespace_id, e.type, e.verdict, e.tool, e.agent_id, date_trunc('hour', uuid_v7_time(e.id), 'UTC') AS start
      FROM audit_event e WHERE e.id = ANY($1) AND e.id >= $2 AND e.id <= $3 AND (e.xid, e.seq) <= (SELECT p.xid, p.seq FROM log_projector p)
    ), %s, emptied AS (
      DELETE FROM audit_rollup r USING total t
      WHERE r.organization_id = t.organization_id AND r.namespace_id = t.namespace_id AND r.dimension = t.dimension AND r.unit = t.unit
        AND r.start = t.start AND r.value = t.value AND r.events <= t.events
    )
    UPDATE audit_rollup r SET events = r.events - t.events FROM total t
    WHERE r.organization_id = t.organization_id AND r.namespace_id = t.namespace_id AND r.dimension = t.dimension AND r.unit = t.unit
      AND r.start = t.start AND r.value = t.value AND r.events > t.events$$, audit_counting())
  USING ids, ids[1], ids[cardinality(ids)];
END
$function$;

-- As before (see the migration `retention`), and takes what it deletes out of the counts in the same transaction.
CREATE OR REPLACE FUNCTION "retention_sweep"("run" UUID, "organization" TEXT, "kind" TEXT, "rules" JSON, "as_of" TIMESTAMPTZ, "since" TIMESTAMPTZ, "until" TIMESTAMPTZ, "after" UUID, "max_examined" INTEGER, "is_dry" BOOLEAN)
RETURNS JSON LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $function$
DECLARE
  low CONSTANT UUID := greatest(after, uuid_v7_floor(since), '00000000-0000-0000-0000-000000000000');
  high CONSTANT UUID := uuid_v7_floor(until);
  examined INTEGER;
  last_id UUID;
  ids UUID[];
  drops JSON;
  blocks JSON;
BEGIN
  IF organization <> coalesce(current_organization(), organization) THEN
    RAISE EXCEPTION 'A session that has named an organization sweeps no other.';
  END IF;
  IF NOT is_dry THEN PERFORM retention_lock(true); END IF;
  EXECUTE format($$
    WITH source AS MATERIALIZED (%s), %s, due AS MATERIALIZED (
      SELECT j.id, j.organization_id, j.class, j.by, l.position FROM judged j JOIN log_entry l ON l.event_id = j.id WHERE j.is_due
    )
    SELECT (SELECT count(*) FROM source), (SELECT id FROM source ORDER BY id DESC LIMIT 1), ARRAY(SELECT id FROM due ORDER BY id), %s,
      (SELECT json_agg(b) FROM (SELECT organization_id, position / 5000 AS block, count(*) AS dropped FROM due GROUP BY 1, 2) b)$$,
    CASE kind WHEN 'EVENTS' THEN format($$
      SELECT %s FROM audit_event e WHERE e.organization_key = hashtextextended($7, 0) AND e.organization_id = $7 AND e.id > $8 AND e.id < $9 ORDER BY e.id LIMIT $10$$, retention_event_columns())
    WHEN 'CONTENT' THEN format($$
      SELECT %s FROM (
        SELECT event_id FROM audit_event_content WHERE organization_key = hashtextextended($7, 0) AND organization_id = $7 AND event_id > $8 AND event_id < $9 ORDER BY event_id LIMIT $10
      ) c JOIN audit_event e ON e.id = c.event_id$$, retention_event_columns()) END,
    retention_judging(), retention_adding_up())
  INTO examined, last_id, ids, drops, blocks
  USING ARRAY(SELECT json_array_elements_text(rules -> 'decisionTypes')), retention_default(rules, 'CONTENT'), retention_default(rules, 'METADATA'),
    retention_default(rules, 'DECISIONS'), least(as_of, clock_timestamp()), kind, organization, low, high, max_examined;

  IF cardinality(ids) > 0 AND NOT is_dry THEN
    IF kind = 'EVENTS' THEN
      PERFORM pg_advisory_xact_lock(7270736905);
      PERFORM audit_uncount(ids);
    END IF;
    -- The bounds are known when these are planned, so that they touch the partitions of these ids and no others.
    EXECUTE 'DELETE FROM audit_event_content WHERE event_id = ANY($1) AND event_id >= $2 AND event_id <= $3' USING ids, ids[1], ids[cardinality(ids)];
    IF kind = 'EVENTS' THEN
      EXECUTE 'DELETE FROM audit_event WHERE id = ANY($1) AND id >= $2 AND id <= $3' USING ids, ids[1], ids[cardinality(ids)];
      EXECUTE 'DELETE FROM event_key WHERE event_id = ANY($1) AND event_id >= $2 AND event_id <= $3 AND organization_id = $4' USING ids, ids[1], ids[cardinality(ids)], organization;
      INSERT INTO retention_progress AS progress (organization_id, dropped_to) VALUES (organization, ids[cardinality(ids)])
      ON CONFLICT (organization_id) DO UPDATE SET dropped_to = greatest(progress.dropped_to, excluded.dropped_to);
    END IF;
    PERFORM retention_write_down(run, drops, CASE kind WHEN 'EVENTS' THEN blocks ELSE '[]' END);
  END IF;
  RETURN json_build_object('examined', examined, 'lastId', last_id, 'drops', coalesce(drops, '[]'));
END
$function$;

-- As before, and puts down that the month is to be counted again: to do it here would keep its readers waiting.
ALTER FUNCTION "retention_drop_month"(UUID, DATE, TEXT, JSON, TIMESTAMPTZ) RENAME TO "retention_empty_month";
CREATE FUNCTION "retention_drop_month"("run" UUID, "first_day" DATE, "kind" TEXT, "rules" JSON, "as_of" TIMESTAMPTZ)
RETURNS TEXT LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $function$
DECLARE
  beginning CONSTANT TIMESTAMPTZ := first_day::timestamp AT TIME ZONE 'UTC';
  ending CONSTANT TIMESTAMPTZ := (first_day + interval '1 month') AT TIME ZONE 'UTC';
  outcome CONSTANT TEXT := retention_empty_month(run, first_day, kind, rules, as_of);
BEGIN
  IF outcome = 'DROPPED' AND kind = 'EVENTS' THEN
    INSERT INTO audit_recount AS recount (organization_id, since, until)
    SELECT DISTINCT d.organization_id, beginning, ending FROM retention_drop d
    WHERE d.run_id = run AND d.class <> 'CONTENT' AND d.from_time < ending AND d.to_time > beginning
    ON CONFLICT (organization_id, since) DO UPDATE SET until = greatest(recount.until, excluded.until);
  END IF;
  RETURN outcome;
END
$function$;

-- Counts the next day again that is to be, from what is there of it. Answers whether there may be another one.
--
-- The counts of a day are found per namespace and dimension, by their key: no index begins with the time.
CREATE FUNCTION "audit_recount_step"("organization" TEXT) RETURNS BOOLEAN
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET jit = off SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off AS $function$
DECLARE
  stretch RECORD;
  next_day TIMESTAMPTZ;
BEGIN
  IF organization <> coalesce(current_organization(), organization) THEN
    RAISE EXCEPTION 'A session that has named an organization counts for no other.';
  END IF;
  IF NOT EXISTS (SELECT 1 FROM audit_recount WHERE organization_id = organization) THEN RETURN false; END IF;
  PERFORM pg_advisory_xact_lock(7270736905);
  SELECT r.since, r.until INTO stretch FROM audit_recount r WHERE r.organization_id = organization ORDER BY r.since LIMIT 1;
  -- Somebody else has done it meanwhile.
  IF NOT FOUND THEN RETURN false; END IF;
  next_day := stretch.since + interval '24 hours';

  WITH RECURSIVE place AS (
    (SELECT r.namespace_id FROM audit_rollup r WHERE r.organization_id = organization ORDER BY r.namespace_id LIMIT 1)
    UNION ALL
    SELECT (SELECT r.namespace_id FROM audit_rollup r WHERE r.organization_id = organization AND r.namespace_id > p.namespace_id ORDER BY r.namespace_id LIMIT 1)
    FROM place p WHERE p.namespace_id IS NOT NULL
  )
  DELETE FROM audit_rollup r USING place p, (VALUES ('TYPE'), ('VERDICT'), ('TOOL'), ('AGENT')) d (dimension), (VALUES ('HOUR'), ('DAY')) u (unit)
  WHERE r.organization_id = organization AND r.namespace_id = p.namespace_id AND r.dimension = d.dimension AND r.unit = u.unit
    AND r.start >= stretch.since AND r.start < next_day;

  EXECUTE format($$
    WITH counted AS MATERIALIZED (
      SELECT e.organization_id, e.namespace_id, e.type, e.verdict, e.tool, e.agent_id, date_trunc('hour', uuid_v7_time(e.id), 'UTC') AS start
      FROM audit_event e
      WHERE e.organization_key = hashtextextended($1, 0) AND e.organization_id = $1 AND e.id >= uuid_v7_floor($2) AND e.id < uuid_v7_floor($3)
        AND (e.xid, e.seq) <= (SELECT p.xid, p.seq FROM log_projector p)
    ), %s
    INSERT INTO audit_rollup (organization_id, namespace_id, dimension, unit, start, value, events)
    SELECT organization_id, namespace_id, dimension, unit, start, value, events FROM total$$, audit_counting())
  USING organization, stretch.since, next_day;

  DELETE FROM audit_recount r WHERE r.organization_id = organization AND r.since = stretch.since;
  IF next_day < stretch.until THEN
    INSERT INTO audit_recount AS recount (organization_id, since, until) VALUES (organization, next_day, stretch.until)
    ON CONFLICT (organization_id, since) DO UPDATE SET until = greatest(recount.until, excluded.until);
  END IF;
  RETURN EXISTS (SELECT 1 FROM audit_recount r WHERE r.organization_id = organization);
END
$function$;

-- Looks through at most `max_examined` of an organization's open calls whose decisions were made from `since` on and before `until`,
-- behind the id `after`, and deletes those that are due as decisions are and whose decision is not there any more. In a dry run nothing
-- is deleted, and a decision that is due counts as gone.
--
-- Answers {dropped, next}: how many, and behind which id to go on; null at the end.
CREATE FUNCTION "retention_sweep_calls"("run" UUID, "organization" TEXT, "rules" JSON, "as_of" TIMESTAMPTZ, "since" TIMESTAMPTZ, "until" TIMESTAMPTZ, "after" UUID, "max_examined" INTEGER, "is_dry" BOOLEAN)
RETURNS JSON LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET jit = off AS $function$
DECLARE
  examined INTEGER;
  last_id UUID;
  ids UUID[];
BEGIN
  PERFORM retention_sweep_begin(organization, is_dry);
  EXECUTE format($$
    WITH open AS MATERIALIZED (
      SELECT * FROM agent_open_call WHERE organization_id = $7 AND event_id > $8 AND event_id < $9 ORDER BY event_id LIMIT $10
    ), source AS MATERIALIZED (
      SELECT c.event_id AS id, c.organization_id, coalesce(e.namespace_id, c.project_id) AS namespace_id, 'ai_tool_decision_made' AS type,
        nullif(c.session_id, '') AS session_id, c.user_id, c.agent_id, e.human_id, e.id IS NOT NULL AS has_event
      FROM open c LEFT JOIN LATERAL (SELECT %s FROM audit_event e WHERE e.id = c.event_id) e ON true
    ), %s
    SELECT (SELECT count(*) FROM open), (SELECT event_id FROM open ORDER BY event_id DESC LIMIT 1),
      ARRAY(SELECT j.id FROM judged j JOIN source s ON s.id = j.id WHERE j.is_due AND ($11 OR NOT s.has_event) ORDER BY j.id)$$,
    retention_event_columns(), retention_judging())
  INTO examined, last_id, ids
  USING ARRAY(SELECT json_array_elements_text(rules -> 'decisionTypes')), retention_default(rules, 'CONTENT'), retention_default(rules, 'METADATA'),
    retention_default(rules, 'DECISIONS'), least(as_of, clock_timestamp()), 'EVENTS', organization,
    greatest(after, uuid_v7_floor(since), '00000000-0000-0000-0000-000000000000'), uuid_v7_floor(until), max_examined, is_dry;

  IF cardinality(ids) > 0 AND NOT is_dry THEN
    DELETE FROM agent_open_call WHERE organization_id = organization AND event_id = ANY(ids);
    PERFORM retention_account(run, organization, 0, cardinality(ids));
  END IF;
  RETURN json_build_object('dropped', cardinality(ids), 'next', CASE WHEN examined = max_examined THEN last_id END);
END
$function$;

-- Looks through an organization's sessions that started from `since` on and before `until`, behind the one that `after` names with
-- {startedAt, id}: at most `max_examined`, and in a dry run about as many events of them. Deletes those that are due, each with what came
-- from its sources:
-- - its last event is older than what is kept longest of what it consists of, decisions or others, where it ran;
-- - no event and no open call of it is there any more. In a dry run what is due counts as gone;
-- - no hold selects it: its session, its user or human, its agent, where it ran, or a time in which it ran.
--
-- Answers {dropped, next}: how many, and behind which session to go on; null at the end.
CREATE FUNCTION "retention_sweep_sessions"("run" UUID, "organization" TEXT, "rules" JSON, "as_of" TIMESTAMPTZ, "since" TIMESTAMPTZ, "until" TIMESTAMPTZ, "after" JSON, "max_examined" INTEGER, "is_dry" BOOLEAN)
RETURNS JSON LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET jit = off AS $function$
DECLARE
  has_more BOOLEAN;
  last JSON;
  ids TEXT[];
  -- A hold's other selectors. As for events, each hold is found by its most selective one.
  hold CONSTANT TEXT := $$
    SELECT 1 FROM legal_hold h WHERE h.organization_id = s.organization_id AND h.lifted_at IS NULL
      AND (h.user_id IS NULL OR h.user_id = s.user_id OR h.user_id = s.human_id) AND (h.agent_id IS NULL OR h.agent_id = s.agent_id)
      AND (h.namespace_id IS NULL OR h.namespace_id = ANY(s.line))
      AND (h.from_time IS NULL OR h.from_time <= s.last_event_at) AND (h.to_time IS NULL OR h.to_time > s.first_event_at)$$;
BEGIN
  PERFORM retention_sweep_begin(organization, is_dry);
  EXECUTE format($$
    WITH fetched AS MATERIALIZED (
      SELECT s.*, sum(s.events + s.stray_events) OVER (ORDER BY s.started_at, s.id) - s.events - s.stray_events AS events_before FROM (
        SELECT * FROM agent_session WHERE organization_id = $7 AND (started_at, id) > ($8, $9) AND started_at < $10 ORDER BY started_at, id LIMIT $11
      ) s
    ), examined AS MATERIALIZED (
      SELECT * FROM fetched WHERE NOT $12 OR events_before < $11
    ), home AS MATERIALIZED (
      SELECT p.namespace_id, line.ids, retention_cutoff($5, coalesce(m.days, $3)) AS metadata_before, retention_cutoff($5, coalesce(d.days, $4)) AS decisions_before
      FROM (SELECT DISTINCT organization_id, coalesce(project_id, organization_id) AS namespace_id FROM examined) p
      CROSS JOIN LATERAL (SELECT coalesce(
        (SELECT n.ancestors FROM namespace n WHERE n.organization_id = p.organization_id AND n.id = p.namespace_id),
        (SELECT f.ancestors FROM former_namespace f WHERE f.organization_id = p.organization_id AND f.id = p.namespace_id),
        ARRAY[p.organization_id]) AS ids) line
      LEFT JOIN LATERAL retention_nearest(p.organization_id, line.ids, 'METADATA') m ON true
      LEFT JOIN LATERAL retention_nearest(p.organization_id, line.ids, 'DECISIONS') d ON true
    ), aged AS MATERIALIZED (
      SELECT s.*, h.ids AS line FROM examined s JOIN home h ON h.namespace_id = coalesce(s.project_id, s.organization_id)
      CROSS JOIN LATERAL (SELECT s.allowed + s.asked + s.denied AS count) decisions
      WHERE uuid_v7_floor(s.last_event_at) < least(
        CASE WHEN decisions.count > 0 THEN h.decisions_before END, CASE WHEN decisions.count < s.events THEN h.metadata_before END)
    ), source AS MATERIALIZED (
      -- Where one is enough, one is looked for.
      SELECT e.* FROM aged s, LATERAL (
        SELECT %1$s FROM audit_event e
        WHERE e.session_key = hashtextextended(s.id, hashtextextended(s.organization_id, 0)) AND e.session_id = s.id AND e.organization_id = s.organization_id
          AND e.id >= uuid_v7_floor(s.first_event_at) AND e.id < uuid_v7_floor(s.last_event_at + interval '1 millisecond')
          AND CASE WHEN e.project_id IS NOT NULL AND s.project_id IS NOT NULL THEN e.project_id = s.project_id
            ELSE e.user_id IS NOT DISTINCT FROM s.user_id OR event_text(e.json, '{recordedBy}') = s.recorded_by END
        LIMIT CASE WHEN $12 THEN NULL ELSE 1 END
      ) e
      UNION ALL
      SELECT c.event_id, c.organization_id, c.project_id, 'ai_tool_decision_made', c.session_id, c.user_id, c.agent_id, NULL
      FROM aged s JOIN agent_open_call c ON c.organization_id = s.organization_id AND c.session_id = s.id AND c.project_id IS NOT DISTINCT FROM s.project_id
    ), %2$s, kept AS MATERIALIZED (
      SELECT DISTINCT s.session_id FROM judged j JOIN source s ON s.id = j.id WHERE NOT ($12 AND j.is_due)
    ), bare AS MATERIALIZED (
      SELECT s.* FROM aged s WHERE NOT EXISTS (SELECT 1 FROM kept k WHERE k.session_id = s.id)
    )
    SELECT (SELECT count(*) = $11 FROM fetched) OR (SELECT count(*) FROM fetched) > (SELECT count(*) FROM examined),
      (SELECT json_build_object('startedAt', started_at, 'id', id) FROM examined ORDER BY started_at DESC, id DESC LIMIT 1),
      ARRAY(SELECT s.id FROM bare s WHERE NOT (
        EXISTS (%3$s AND h.session_id = s.id)
        OR EXISTS (%3$s AND h.session_id IS NULL AND h.user_id IN (s.user_id, s.human_id))
        OR EXISTS (%3$s AND h.session_id IS NULL AND h.user_id IS NULL AND h.agent_id = s.agent_id)
        OR EXISTS (%3$s AND h.session_id IS NULL AND h.user_id IS NULL AND h.agent_id IS NULL)))$$,
    retention_event_columns(), retention_judging(), hold)
  INTO has_more, last, ids
  USING ARRAY(SELECT json_array_elements_text(rules -> 'decisionTypes')), retention_default(rules, 'CONTENT'), retention_default(rules, 'METADATA'),
    retention_default(rules, 'DECISIONS'), least(as_of, clock_timestamp()), 'EVENTS', organization,
    coalesce((after ->> 'startedAt')::timestamptz, since, '-infinity'), coalesce(after ->> 'id', ''), until, max_examined, is_dry;

  IF cardinality(ids) > 0 AND NOT is_dry THEN
    DELETE FROM agent_session_source WHERE organization_id = organization AND session_id = ANY(ids);
    DELETE FROM agent_session WHERE organization_id = organization AND id = ANY(ids);
    PERFORM retention_account(run, organization, cardinality(ids), 0);
  END IF;
  RETURN json_build_object('dropped', cardinality(ids), 'next', CASE WHEN has_more THEN last END);
END
$function$;

-- What both begin with: settings, holds and the projector stand still until the transaction ends, unless nothing is to be changed.
CREATE FUNCTION "retention_sweep_begin"("organization" TEXT, "is_dry" BOOLEAN) RETURNS VOID LANGUAGE plpgsql AS $$
BEGIN
  IF organization <> coalesce(current_organization(), organization) THEN
    RAISE EXCEPTION 'A session that has named an organization sweeps no other.';
  END IF;
  IF is_dry THEN RETURN; END IF;
  PERFORM retention_lock(true);
  PERFORM pg_advisory_xact_lock(7270736905);
END
$$;

-- Adds what went of the projection to the account of a run.
CREATE FUNCTION "retention_account"("run" UUID, "organization" TEXT, "more_sessions" INTEGER, "more_open_calls" INTEGER) RETURNS VOID LANGUAGE plpgsql AS $$
BEGIN
  UPDATE retention_run SET sessions = sessions + more_sessions, open_calls = open_calls + more_open_calls WHERE organization_id = organization AND id = run;
  IF NOT FOUND THEN RAISE EXCEPTION 'There is no such run in the organization.'; END IF;
END
$$;

-- What went before this migration is counted still.
INSERT INTO "audit_recount" ("organization_id", "since", "until")
SELECT counted.organization_id, counted.since, counted.until FROM (
  SELECT p.organization_id, date_trunc('day', uuid_v7_time(p.dropped_to), 'UTC') + interval '24 hours' AS until, (
    SELECT r.start FROM audit_rollup r
    WHERE r.organization_id = p.organization_id AND r.namespace_id = '' AND r.dimension = 'TYPE' AND r.unit = 'DAY' ORDER BY r.start LIMIT 1) AS since
  FROM retention_progress p WHERE p.dropped_to IS NOT NULL
) counted WHERE counted.since < counted.until;

-- Rights. The functions that are parts of others are for nobody: those run with the owner's rights.
REVOKE EXECUTE ON FUNCTION "retention_empty_month"(UUID, DATE, TEXT, JSON, TIMESTAMPTZ) FROM agent_governance_app;
REVOKE EXECUTE ON FUNCTION "audit_counting"(), "audit_uncount"(UUID[]), "audit_recount_step"(TEXT), "retention_sweep_begin"(TEXT, BOOLEAN),
  "retention_account"(UUID, TEXT, INTEGER, INTEGER), "retention_drop_month"(UUID, DATE, TEXT, JSON, TIMESTAMPTZ),
  "retention_sweep_calls"(UUID, TEXT, JSON, TIMESTAMPTZ, TIMESTAMPTZ, TIMESTAMPTZ, UUID, INTEGER, BOOLEAN),
  "retention_sweep_sessions"(UUID, TEXT, JSON, TIMESTAMPTZ, TIMESTAMPTZ, TIMESTAMPTZ, JSON, INTEGER, BOOLEAN) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION "audit_recount_step"(TEXT), "retention_drop_month"(UUID, DATE, TEXT, JSON, TIMESTAMPTZ),
  "retention_sweep_calls"(UUID, TEXT, JSON, TIMESTAMPTZ, TIMESTAMPTZ, TIMESTAMPTZ, UUID, INTEGER, BOOLEAN),
  "retention_sweep_sessions"(UUID, TEXT, JSON, TIMESTAMPTZ, TIMESTAMPTZ, TIMESTAMPTZ, JSON, INTEGER, BOOLEAN) TO agent_governance_app;

ALTER TABLE "audit_recount" ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_one_organization ON "audit_recount" USING (organization_id = (SELECT current_organization()));
