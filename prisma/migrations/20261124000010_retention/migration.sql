-- Retention: how long what is kept, what is held beyond that, and how it goes. See docs/retention.md.
--
-- The service's role deletes nothing itself. The functions below delete what is due by the settings, the holds and the clock that they
-- read themselves, inside the transaction that deletes. Their callers say where to look, never what may go.

-- How long a class of records is kept in a namespace and below. The floors are the law's; src/audit/retention/rules.ts explains them.
CREATE TABLE "retention_setting" (
    "organization_id" TEXT NOT NULL,
    "namespace_id" TEXT NOT NULL,
    "class" TEXT NOT NULL CHECK ("class" IN ('CONTENT', 'METADATA', 'DECISIONS')),
    "days" INTEGER NOT NULL CHECK ("days" BETWEEN CASE "class" WHEN 'CONTENT' THEN 1 ELSE 184 END AND 3653),
    "set_at" TIMESTAMPTZ(3) NOT NULL,
    "set_by" TEXT NOT NULL,
    CONSTRAINT "retention_setting_pkey" PRIMARY KEY ("organization_id", "namespace_id", "class")
);

-- What must be kept, whatever the settings say, until it is lifted. Selectors of one hold combine with AND; null selects everything.
CREATE TABLE "legal_hold" (
    "organization_id" TEXT NOT NULL,
    "id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "reason" TEXT NOT NULL,
    "namespace_id" TEXT,
    "session_id" TEXT,
    "user_id" TEXT,
    "agent_id" TEXT,
    "from_time" TIMESTAMPTZ(3),
    "to_time" TIMESTAMPTZ(3),
    "placed_at" TIMESTAMPTZ(3) NOT NULL,
    "placed_by" TEXT NOT NULL,
    "lifted_at" TIMESTAMPTZ(3),
    "lifted_by" TEXT,
    "lift_reason" TEXT,
    CONSTRAINT "legal_hold_pkey" PRIMARY KEY ("organization_id", "id"),
    CONSTRAINT "legal_hold_selector_check" CHECK (num_nonnulls("namespace_id", "session_id", "user_id", "agent_id", "from_time", "to_time") > 0),
    CONSTRAINT "legal_hold_time_check" CHECK ("from_time" < "to_time" AND least("from_time", "to_time") >= 'epoch'),
    CONSTRAINT "legal_hold_lift_check" CHECK (num_nonnulls("lifted_at", "lifted_by", "lift_reason") IN (0, 3))
);
-- Each hold in force is found by its most selective selector, so that a thousand holds cost an event what one does.
CREATE INDEX "legal_hold_session_idx" ON "legal_hold" ("organization_id", "session_id") WHERE "lifted_at" IS NULL AND "session_id" IS NOT NULL;
CREATE INDEX "legal_hold_user_idx" ON "legal_hold" ("organization_id", "user_id") WHERE "lifted_at" IS NULL AND "session_id" IS NULL AND "user_id" IS NOT NULL;
CREATE INDEX "legal_hold_agent_idx" ON "legal_hold" ("organization_id", "agent_id") WHERE "lifted_at" IS NULL AND "session_id" IS NULL AND "user_id" IS NULL AND "agent_id" IS NOT NULL;
CREATE INDEX "legal_hold_other_idx" ON "legal_hold" ("organization_id") WHERE "lifted_at" IS NULL AND "session_id" IS NULL AND "user_id" IS NULL AND "agent_id" IS NULL;

-- The latest runs of an organization. One of the schedule has the same id in every organization.
CREATE TABLE "retention_run" (
    "organization_id" TEXT NOT NULL,
    "id" UUID NOT NULL,
    "started_at" TIMESTAMPTZ(3) NOT NULL,
    "started_by" TEXT,
    "is_dry_run" BOOLEAN NOT NULL,
    "finished_at" TIMESTAMPTZ(3),
    "is_complete" BOOLEAN NOT NULL DEFAULT false,
    "would_drop" JSON,
    "error" TEXT,
    CONSTRAINT "retention_run_pkey" PRIMARY KEY ("organization_id", "id")
);
-- One run by hand at a time.
CREATE UNIQUE INDEX "retention_run_by_hand_key" ON "retention_run" ("organization_id") WHERE "started_by" IS NOT NULL AND "finished_at" IS NULL;

-- What a run has dropped, written in the transaction that dropped it; `recorded_at` says since when an audit event tells of it.
CREATE TABLE "retention_drop" (
    "organization_id" TEXT NOT NULL,
    "id" UUID NOT NULL,
    "run_id" UUID NOT NULL,
    "class" TEXT NOT NULL,
    "namespace_id" TEXT,
    "from_time" TIMESTAMPTZ(3) NOT NULL,
    "to_time" TIMESTAMPTZ(3) NOT NULL,
    "first_position" BIGINT NOT NULL,
    "last_position" BIGINT NOT NULL,
    "count" BIGINT NOT NULL,
    "recorded_at" TIMESTAMPTZ(3),
    CONSTRAINT "retention_drop_pkey" PRIMARY KEY ("organization_id", "id"),
    CONSTRAINT "retention_drop_organization_id_run_id_fkey" FOREIGN KEY ("organization_id", "run_id") REFERENCES "retention_run" ("organization_id", "id") ON DELETE CASCADE ON UPDATE CASCADE
);
CREATE INDEX "retention_drop_organization_id_run_id_idx" ON "retention_drop" ("organization_id", "run_id");

-- How far an organization has been looked through, and under which rules; and the newest event that ever went: what is older may have
-- been in the log before.
CREATE TABLE "retention_progress" (
    "organization_id" TEXT NOT NULL,
    "dropped_to" UUID,
    "swept_as_of" TIMESTAMPTZ(3),
    "swept_whole_at" TIMESTAMPTZ(3),
    "rules_digest" TEXT,
    CONSTRAINT "retention_progress_pkey" PRIMARY KEY ("organization_id")
);

-- The schedule of all processes. One row.
CREATE TABLE "retention_cycle" (
    "id" INTEGER NOT NULL CHECK ("id" = 1),
    "started_at" TIMESTAMPTZ(3),
    "finished_at" TIMESTAMPTZ(3),
    "leader" TEXT,
    CONSTRAINT "retention_cycle_pkey" PRIMARY KEY ("id")
);
INSERT INTO "retention_cycle" ("id") VALUES (1);

-- How many events are gone of each block of 5,000 positions of a log: readers step over blocks of which all are.
CREATE TABLE "log_gap" (
    "organization_id" TEXT NOT NULL,
    "block" BIGINT NOT NULL,
    "dropped" INTEGER NOT NULL,
    CONSTRAINT "log_gap_pkey" PRIMARY KEY ("organization_id", "block")
);

CREATE INDEX "audit_event_content_organization_key_event_id_idx" ON "audit_event_content" ("organization_key", "event_id");
CREATE INDEX "event_key_event_id_idx" ON "event_key" ("event_id");

-- When an event occurred, by its id.
CREATE FUNCTION "uuid_v7_time"("id" UUID) RETURNS TIMESTAMPTZ LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT to_timestamp(('x0000' || left(replace(id::text, '-', ''), 12))::bit(64)::bigint / 1000.0)
$$;

-- The id below which events are older than so many days of 24 hours.
CREATE FUNCTION "retention_cutoff"("as_of" TIMESTAMPTZ, "days" INTEGER) RETURNS UUID LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT uuid_v7_floor(date_trunc('milliseconds', as_of) - make_interval(hours => days * 24))
$$;

-- The setting that governs a class for a line of namespaces, which runs from the organization down: the nearest.
CREATE FUNCTION "retention_nearest"("organization" TEXT, "line" TEXT[], "of_class" TEXT) RETURNS TABLE ("namespace_id" TEXT, "days" INTEGER)
LANGUAGE sql STABLE AS $$
  SELECT s.namespace_id, s.days FROM retention_setting s
  WHERE s.organization_id = organization AND s.class = of_class AND s.namespace_id = ANY(line)
  ORDER BY array_position(line, s.namespace_id) DESC LIMIT 1
$$;

-- Until the transaction ends, nothing goes (shared), or nobody changes what may go and nothing else goes (exclusive).
CREATE FUNCTION "retention_lock"("exclusively" BOOLEAN) RETURNS VOID LANGUAGE plpgsql AS $$
BEGIN
  IF exclusively THEN PERFORM pg_advisory_xact_lock(7270736903); ELSE PERFORM pg_advisory_xact_lock_shared(7270736903); END IF;
END
$$;

-- The common table expressions `place` and `judged` over one that is called `source` and holds events: of each, what decides about it
-- and whether it is due. To be executed with $1 the types of decisions, $2, $3 and $4 the default days of CONTENT, METADATA and
-- DECISIONS, $5 the moment, $6 CONTENT or EVENTS. Content goes with the metadata at the latest, and never later than its event.
CREATE FUNCTION "retention_judging"() RETURNS TEXT LANGUAGE sql IMMUTABLE AS $outer$
  SELECT $$
  place AS MATERIALIZED (
    SELECT p.organization_id, p.namespace_id, line.ids,
      c.namespace_id AS content_by, retention_cutoff($5, coalesce(c.days, $2)) AS content_before,
      m.namespace_id AS metadata_by, retention_cutoff($5, coalesce(m.days, $3)) AS metadata_before,
      d.namespace_id AS decisions_by, retention_cutoff($5, coalesce(d.days, $4)) AS decisions_before,
      EXISTS (SELECT 1 FROM legal_hold h WHERE h.organization_id = p.organization_id AND h.lifted_at IS NULL) AS has_holds
    FROM (SELECT DISTINCT organization_id, coalesce(namespace_id, organization_id) AS namespace_id FROM source) p
    CROSS JOIN LATERAL (SELECT coalesce(
      (SELECT n.ancestors FROM namespace n WHERE n.organization_id = p.organization_id AND n.id = p.namespace_id),
      (SELECT f.ancestors FROM former_namespace f WHERE f.organization_id = p.organization_id AND f.id = p.namespace_id),
      ARRAY[p.organization_id]) AS ids) line
    LEFT JOIN LATERAL retention_nearest(p.organization_id, line.ids, 'CONTENT') c ON true
    LEFT JOIN LATERAL retention_nearest(p.organization_id, line.ids, 'METADATA') m ON true
    LEFT JOIN LATERAL retention_nearest(p.organization_id, line.ids, 'DECISIONS') d ON true
  ), judged AS NOT MATERIALIZED (
    SELECT e.id, e.organization_id, rule.class, rule.by, e.id < rule.before AND NOT (place.has_holds AND (
        EXISTS (
          SELECT 1 FROM legal_hold h
          WHERE h.organization_id = e.organization_id AND h.lifted_at IS NULL AND h.session_id IS NOT NULL AND h.session_id = e.session_id
            AND (h.user_id IS NULL OR h.user_id = e.user_id OR h.user_id = e.human_id) AND (h.agent_id IS NULL OR h.agent_id = e.agent_id)
            AND (h.namespace_id IS NULL OR h.namespace_id = ANY(place.ids))
            AND (h.from_time IS NULL OR e.id >= uuid_v7_floor(h.from_time)) AND (h.to_time IS NULL OR e.id < uuid_v7_floor(h.to_time)))
        OR EXISTS (
          SELECT 1 FROM legal_hold h
          WHERE h.organization_id = e.organization_id AND h.lifted_at IS NULL AND h.session_id IS NULL AND h.user_id IS NOT NULL
            AND h.user_id IN (e.user_id, e.human_id) AND (h.agent_id IS NULL OR h.agent_id = e.agent_id)
            AND (h.namespace_id IS NULL OR h.namespace_id = ANY(place.ids))
            AND (h.from_time IS NULL OR e.id >= uuid_v7_floor(h.from_time)) AND (h.to_time IS NULL OR e.id < uuid_v7_floor(h.to_time)))
        OR EXISTS (
          SELECT 1 FROM legal_hold h
          WHERE h.organization_id = e.organization_id AND h.lifted_at IS NULL AND h.session_id IS NULL AND h.user_id IS NULL
            AND h.agent_id IS NOT NULL AND h.agent_id = e.agent_id
            AND (h.namespace_id IS NULL OR h.namespace_id = ANY(place.ids))
            AND (h.from_time IS NULL OR e.id >= uuid_v7_floor(h.from_time)) AND (h.to_time IS NULL OR e.id < uuid_v7_floor(h.to_time)))
        OR EXISTS (
          SELECT 1 FROM legal_hold h
          WHERE h.organization_id = e.organization_id AND h.lifted_at IS NULL AND h.session_id IS NULL AND h.user_id IS NULL AND h.agent_id IS NULL
            AND (h.namespace_id IS NULL OR h.namespace_id = ANY(place.ids))
            AND (h.from_time IS NULL OR e.id >= uuid_v7_floor(h.from_time)) AND (h.to_time IS NULL OR e.id < uuid_v7_floor(h.to_time)))
      )) AS is_due
    FROM source e JOIN place ON place.organization_id = e.organization_id AND place.namespace_id = coalesce(e.namespace_id, e.organization_id)
    CROSS JOIN LATERAL (
      SELECT CASE WHEN e.type = ANY($1) THEN 'DECISIONS' ELSE 'METADATA' END AS class,
        CASE WHEN e.type = ANY($1) THEN place.decisions_by ELSE place.metadata_by END AS by,
        CASE WHEN e.type = ANY($1) THEN place.decisions_before ELSE place.metadata_before END AS before
      WHERE $6 = 'EVENTS'
      UNION ALL
      (SELECT 'CONTENT', latest.by, latest.before FROM (VALUES
        (place.content_by, place.content_before, 1),
        (place.metadata_by, place.metadata_before, 2),
        (CASE WHEN e.type = ANY($1) THEN place.decisions_by ELSE place.metadata_by END, CASE WHEN e.type = ANY($1) THEN place.decisions_before ELSE place.metadata_before END, 3)
      ) latest (by, before, preference)
      WHERE $6 = 'CONTENT' AND latest.before = greatest(place.content_before, place.metadata_before, CASE WHEN e.type = ANY($1) THEN place.decisions_before END)
      ORDER BY latest.preference LIMIT 1)
    ) rule
  )$$
$outer$;

-- What judging reads of an event in a table of events. The human behind a service account stands in the event alone, and is looked for
-- only where somebody is held.
CREATE FUNCTION "retention_event_columns"() RETURNS TEXT LANGUAGE sql IMMUTABLE AS $$
  SELECT $_$e.id, e.organization_id, e.namespace_id, e.type, e.session_id, e.user_id, e.agent_id,
    CASE WHEN (SELECT EXISTS (SELECT 1 FROM legal_hold WHERE lifted_at IS NULL AND user_id IS NOT NULL)) THEN e.json ->> 'humanId' END AS human_id$_$
$$;

-- The defaults that the service gives, which must not be below the floors.
CREATE FUNCTION "retention_default"("rules" JSON, "of_class" TEXT) RETURNS INTEGER LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
  days CONSTANT INTEGER := (rules -> 'defaultDays' ->> of_class)::integer;
BEGIN
  IF days IS NULL OR days < (CASE of_class WHEN 'CONTENT' THEN 1 ELSE 184 END) THEN
    RAISE EXCEPTION 'The default for % must not be below its floor.', of_class;
  END IF;
  RETURN days;
END
$$;

-- Writes down what has gone: per class and namespace for the audit events to come, and per block of positions for readers of the log.
-- A drop of which an event tells already is another one.
CREATE FUNCTION "retention_write_down"("run" UUID, "drops" JSON, "blocks" JSON) RETURNS VOID LANGUAGE plpgsql AS $$
BEGIN
  WITH fresh AS (
    SELECT * FROM json_to_recordset(drops) AS row (organization_id text, class text, namespace_id text, from_time timestamptz, to_time timestamptz, first_position bigint, last_position bigint, count bigint)
  ), added AS (
    UPDATE retention_drop d
    SET from_time = least(d.from_time, fresh.from_time), to_time = greatest(d.to_time, fresh.to_time), count = d.count + fresh.count,
      first_position = least(d.first_position, fresh.first_position), last_position = greatest(d.last_position, fresh.last_position)
    FROM fresh
    WHERE d.organization_id = fresh.organization_id AND d.run_id = run AND d.class = fresh.class
      AND d.namespace_id IS NOT DISTINCT FROM fresh.namespace_id AND d.recorded_at IS NULL
    RETURNING d.organization_id, d.class, d.namespace_id
  )
  INSERT INTO retention_drop (organization_id, id, run_id, class, namespace_id, from_time, to_time, first_position, last_position, count)
  SELECT organization_id, gen_random_uuid(), run, class, namespace_id, from_time, to_time, first_position, last_position, count FROM fresh
  WHERE NOT EXISTS (
    SELECT 1 FROM added WHERE added.organization_id = fresh.organization_id AND added.class = fresh.class
      AND added.namespace_id IS NOT DISTINCT FROM fresh.namespace_id);

  INSERT INTO log_gap AS gap (organization_id, block, dropped)
  SELECT organization_id, block, dropped FROM json_to_recordset(blocks) AS row (organization_id text, block bigint, dropped integer)
  ON CONFLICT (organization_id, block) DO UPDATE SET dropped = gap.dropped + excluded.dropped;
END
$$;

-- How those that are due among `judged` add up, for retention_write_down.
CREATE FUNCTION "retention_adding_up"() RETURNS TEXT LANGUAGE sql IMMUTABLE AS $outer$
  SELECT $$
  (SELECT json_agg(d) FROM (
    SELECT organization_id, class, by AS namespace_id, uuid_v7_time((array_agg(id ORDER BY id))[1]) AS from_time, uuid_v7_time((array_agg(id ORDER BY id DESC))[1]) + interval '1 millisecond' AS to_time,
      min(position) AS first_position, max(position) AS last_position, count(*) AS count
    FROM due GROUP BY organization_id, class, by
  ) d)$$
$outer$;

-- Looks through at most `max_examined` of an organization's events (kind EVENTS) or contents (kind CONTENT) that occurred from `since`
-- on and before `until`, behind the id `after`, and deletes those that are due; a dry run deletes nothing. An event goes with its
-- content and its key, and not before it has its position.
--
-- Answers {examined, lastId, drops: [{class, namespace_id, from_time, to_time, first_position, last_position, count}]}.
CREATE FUNCTION "retention_sweep"("run" UUID, "organization" TEXT, "kind" TEXT, "rules" JSON, "as_of" TIMESTAMPTZ, "since" TIMESTAMPTZ, "until" TIMESTAMPTZ, "after" UUID, "max_examined" INTEGER, "is_dry" BOOLEAN)
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

-- What may go depends on these; a month is looked through without a lock and dropped only if they still say the same.
CREATE FUNCTION "retention_rules_digest"() RETURNS TEXT LANGUAGE sql STABLE AS $$
  SELECT md5(coalesce(string_agg(rule, chr(10) ORDER BY rule), '')) FROM (
    SELECT json_build_array(organization_id, namespace_id, class, days)::text AS rule FROM retention_setting
    UNION ALL
    SELECT json_build_array(organization_id, id)::text FROM legal_hold WHERE lifted_at IS NULL
  ) rules
$$;

-- Empties a whole month, given by its first day: of content (kind CONTENT), or of events and content (kind EVENTS), if every row of it
-- in every organization is due. Readers wait for as long as the emptying takes and not for the looking. To be called as one transaction.
--
-- Answers EMPTY when nothing was there, KEPT when something must stay, CHANGED when something came between, DROPPED when it is done.
-- Raises 55P03 when somebody kept the month busy.
CREATE FUNCTION "retention_drop_month"("run" UUID, "first_day" DATE, "kind" TEXT, "rules" JSON, "as_of" TIMESTAMPTZ)
RETURNS TEXT LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $function$
DECLARE
  events CONSTANT TEXT := 'audit_event_' || to_char(first_day, 'YYYYMM');
  contents CONSTANT TEXT := 'audit_event_content_' || to_char(first_day, 'YYYYMM');
  subject CONSTANT TEXT := CASE kind WHEN 'EVENTS' THEN events ELSE contents END;
  low CONSTANT UUID := uuid_v7_floor(first_day::timestamp AT TIME ZONE 'UTC');
  high CONSTANT UUID := uuid_v7_floor((first_day + interval '1 month') AT TIME ZONE 'UTC');
  source CONSTANT TEXT := CASE kind WHEN 'EVENTS' THEN format('SELECT %s FROM %I e', retention_event_columns(), events)
    ELSE format('SELECT %s FROM %I c JOIN %I e ON e.id = c.event_id', retention_event_columns(), contents, events) END;
  digest CONSTANT TEXT := retention_rules_digest();
  seen_xid xid8;
  total BIGINT;
  due BIGINT;
  remaining BIGINT;
  has_new BOOLEAN;
  newest UUID;
  drops JSON;
  blocks JSON;
BEGIN
  IF current_organization() IS NOT NULL THEN
    RAISE EXCEPTION 'A month belongs to all organizations; a session that has named one cannot drop it.';
  END IF;
  -- Whoever must be kept is mostly among the first.
  EXECUTE format('WITH source AS MATERIALIZED (%s ORDER BY e.id LIMIT 200), %s SELECT count(*), count(*) FILTER (WHERE is_due) FROM judged', source, retention_judging())
  INTO total, due
  USING ARRAY(SELECT json_array_elements_text(rules -> 'decisionTypes')), retention_default(rules, 'CONTENT'), retention_default(rules, 'METADATA'),
    retention_default(rules, 'DECISIONS'), least(as_of, clock_timestamp()), kind;
  IF total = 0 THEN RETURN 'EMPTY'; END IF;
  IF due < total THEN RETURN 'KEPT'; END IF;

  seen_xid := pg_snapshot_xmin(pg_current_snapshot());
  EXECUTE format($$
    WITH source AS NOT MATERIALIZED (%s), %s, placed AS (
      SELECT event_id, position FROM log_entry WHERE event_id >= $7 AND event_id < $8
    ), added AS MATERIALIZED (
      SELECT j.organization_id, j.class, j.by, l.position / 5000 AS block, j.is_due AND l.position IS NOT NULL AS is_due, count(*) AS count,
        min(j.id::text)::uuid AS first_id, max(j.id::text)::uuid AS last_id, min(l.position) AS first_position, max(l.position) AS last_position
      FROM judged j LEFT JOIN placed l ON l.event_id = j.id GROUP BY 1, 2, 3, 4, 5
    )
    SELECT sum(count), coalesce(sum(count) FILTER (WHERE is_due), 0),
      (SELECT json_agg(d) FROM (
        SELECT organization_id, class, by AS namespace_id, uuid_v7_time(min(first_id::text)::uuid) AS from_time, uuid_v7_time(max(last_id::text)::uuid) + interval '1 millisecond' AS to_time,
          min(first_position) AS first_position, max(last_position) AS last_position, sum(count) AS count
        FROM added GROUP BY 1, 2, 3
      ) d),
      (SELECT json_agg(b) FROM (SELECT organization_id, block, sum(count) AS dropped FROM added GROUP BY 1, 2) b),
      max(last_id::text)::uuid
    FROM added$$, source, retention_judging())
  INTO total, due, drops, blocks, newest
  USING ARRAY(SELECT json_array_elements_text(rules -> 'decisionTypes')), retention_default(rules, 'CONTENT'), retention_default(rules, 'METADATA'),
    retention_default(rules, 'DECISIONS'), least(as_of, clock_timestamp()), kind, low, high;
  IF due < total THEN RETURN 'KEPT'; END IF;

  -- Who waits for a lock lets others wait behind: not for long, and for less than after which Postgres looks for a deadlock.
  PERFORM set_config('lock_timeout', '500ms', true);
  PERFORM retention_lock(true);
  EXECUTE format('LOCK TABLE %I, %I IN SHARE MODE', events, contents);
  -- What no transaction has added that was not seen, and of which there is as much as was seen, is what was seen.
  EXECUTE format('SELECT EXISTS (SELECT 1 FROM %I WHERE xid >= $1), (SELECT count(*) FROM %I)', events, subject) INTO has_new, remaining USING seen_xid;
  IF has_new OR remaining <> total OR digest <> retention_rules_digest() THEN RETURN 'CHANGED'; END IF;

  INSERT INTO retention_run (organization_id, id, started_at, is_dry_run)
  SELECT DISTINCT organization_id, run, now(), false FROM json_to_recordset(drops) AS row (organization_id text) ON CONFLICT DO NOTHING;
  PERFORM retention_write_down(run, drops, CASE kind WHEN 'EVENTS' THEN blocks ELSE '[]' END);
  IF kind = 'EVENTS' THEN
    INSERT INTO retention_progress AS progress (organization_id, dropped_to)
    SELECT DISTINCT organization_id, newest FROM json_to_recordset(drops) AS row (organization_id text)
    ON CONFLICT (organization_id) DO UPDATE SET dropped_to = greatest(progress.dropped_to, excluded.dropped_to);
    EXECUTE format('TRUNCATE %I, %I', events, contents);
  ELSE
    EXECUTE format('TRUNCATE %I', contents);
  END IF;
  RETURN 'DROPPED';
END
$function$;

-- Removes the partitions of a month, given by its first day, once they are empty and the month is older than anything must be kept:
-- first the keys of its events, at most `max_keys` a call, then the tables.
--
-- Answers KEPT, MORE when there may be more keys, REMOVED. Raises 55P03 when somebody kept the log busy.
CREATE FUNCTION "retention_remove_month"("first_day" DATE, "max_keys" INTEGER) RETURNS TEXT
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $function$
DECLARE
  events CONSTANT TEXT := 'audit_event_' || to_char(first_day, 'YYYYMM');
  contents CONSTANT TEXT := 'audit_event_content_' || to_char(first_day, 'YYYYMM');
  is_used BOOLEAN;
  forgotten INTEGER;
BEGIN
  IF (first_day + interval '1 month') AT TIME ZONE 'UTC' > now() - interval '184 days' THEN RETURN 'KEPT'; END IF;
  EXECUTE format('SELECT coalesce((SELECT id FROM %I ORDER BY id LIMIT 1), (SELECT event_id FROM %I ORDER BY event_id LIMIT 1)) IS NOT NULL', events, contents) INTO is_used;
  IF is_used THEN RETURN 'KEPT'; END IF;
  WITH orphan AS (
    SELECT k.organization_id, k.key FROM event_key k
    WHERE k.event_id >= uuid_v7_floor(first_day::timestamp AT TIME ZONE 'UTC') AND k.event_id < uuid_v7_floor((first_day + interval '1 month') AT TIME ZONE 'UTC')
    LIMIT max_keys
  )
  DELETE FROM event_key k USING orphan WHERE k.organization_id = orphan.organization_id AND k.key = orphan.key;
  GET DIAGNOSTICS forgotten = ROW_COUNT;
  IF forgotten > 0 THEN RETURN 'MORE'; END IF;

  PERFORM set_config('lock_timeout', '500ms', true);
  PERFORM pg_advisory_xact_lock(7270736901);
  LOCK TABLE audit_event, audit_event_content IN ACCESS EXCLUSIVE MODE;
  EXECUTE format('SELECT coalesce((SELECT id FROM %I ORDER BY id LIMIT 1), (SELECT event_id FROM %I ORDER BY event_id LIMIT 1)) IS NOT NULL', events, contents) INTO is_used;
  IF is_used THEN RETURN 'KEPT'; END IF;
  EXECUTE format('DROP TABLE %I, %I', events, contents);
  RETURN 'REMOVED';
END
$function$;

-- Every organization that has ever had an event.
CREATE FUNCTION "retention_organizations"() RETURNS SETOF TEXT LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT AS $$
  SELECT organization_id FROM log_head ORDER BY organization_id
$$;

-- Where a reader of a log looks next that has found nothing in the `passed` positions from `from_position` on: behind those, and behind
-- what is wholly gone. Null at the end of the log.
CREATE FUNCTION "log_next_kept"("organization" TEXT, "from_position" BIGINT, "passed" BIGINT) RETURNS BIGINT LANGUAGE sql STABLE AS $$
  WITH start AS (
    SELECT greatest(from_position, kept_from) + passed AS position, size FROM log_head WHERE organization_id = organization
  ), gone AS (
    SELECT block, row_number() OVER (ORDER BY block) AS number
    FROM log_gap, start WHERE organization_id = organization AND block >= start.position / 5000 AND dropped = 5000
  ), next AS (
    SELECT coalesce((SELECT (max(block) + 1) * 5000 FROM gone WHERE block = start.position / 5000 + number - 1), start.position) AS position, size FROM start
  )
  SELECT position FROM next WHERE position < size
$$;

-- Moves `kept_from` to the first position of a log that has an event, looking at no more than two blocks of those that may have none.
CREATE FUNCTION "log_skip_gone"("organization" TEXT) RETURNS VOID LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
  start CONSTANT BIGINT := log_next_kept(organization, 0, 0);
  first BIGINT;
BEGIN
  IF start IS NULL THEN RETURN; END IF;
  first := (SELECT l.position FROM log_entry l JOIN audit_event e ON e.id = l.event_id
    WHERE l.organization_id = organization AND l.position >= start AND l.position < start + 10000 ORDER BY l.position LIMIT 1);
  UPDATE log_head SET kept_from = coalesce(first, start) WHERE organization_id = organization AND kept_from < coalesce(first, start);
END
$$;

-- Rights. The functions that are parts of others are for nobody: those run with the owner's rights.
REVOKE EXECUTE ON FUNCTION "retention_judging"(), "retention_event_columns"(), "retention_adding_up"(), "retention_rules_digest"(), "retention_default"(JSON, TEXT),
  "retention_write_down"(UUID, JSON, JSON), "retention_sweep"(UUID, TEXT, TEXT, JSON, TIMESTAMPTZ, TIMESTAMPTZ, TIMESTAMPTZ, UUID, INTEGER, BOOLEAN),
  "retention_drop_month"(UUID, DATE, TEXT, JSON, TIMESTAMPTZ), "retention_remove_month"(DATE, INTEGER), "retention_organizations"(), "log_skip_gone"(TEXT) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION "retention_sweep"(UUID, TEXT, TEXT, JSON, TIMESTAMPTZ, TIMESTAMPTZ, TIMESTAMPTZ, UUID, INTEGER, BOOLEAN),
  "retention_drop_month"(UUID, DATE, TEXT, JSON, TIMESTAMPTZ), "retention_remove_month"(DATE, INTEGER), "retention_organizations"(), "log_skip_gone"(TEXT)
  TO agent_governance_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON "retention_setting" TO agent_governance_app;
GRANT SELECT, INSERT, UPDATE ("lifted_at", "lifted_by", "lift_reason") ON "legal_hold" TO agent_governance_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON "retention_run" TO agent_governance_app;
GRANT SELECT, UPDATE ("recorded_at") ON "retention_drop" TO agent_governance_app;
GRANT SELECT, INSERT ("organization_id", "swept_as_of", "swept_whole_at", "rules_digest"), UPDATE ("swept_as_of", "swept_whole_at", "rules_digest") ON "retention_progress" TO agent_governance_app;
GRANT SELECT, UPDATE ON "retention_cycle" TO agent_governance_app;
GRANT SELECT ON "log_gap" TO agent_governance_app;

DO $$
DECLARE
  name TEXT;
BEGIN
  FOREACH name IN ARRAY ARRAY['retention_setting', 'legal_hold', 'retention_run', 'retention_drop', 'retention_progress', 'log_gap'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format('CREATE POLICY of_one_organization ON %I USING (organization_id = (SELECT current_organization()))', name);
  END LOOP;
END
$$;
