CREATE TABLE "organization" (
    "id" TEXT NOT NULL,
    "epoch" BIGINT NOT NULL DEFAULT 0,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT "organization_pkey" PRIMARY KEY ("id")
);

CREATE TABLE "namespace" (
    "organization_id" TEXT NOT NULL,
    "id" TEXT NOT NULL,
    "kind" TEXT NOT NULL CHECK ("kind" IN ('ORGANIZATION', 'GROUP', 'PROJECT')),
    "parent_id" TEXT,
    "path" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "ancestors" TEXT[],
    CONSTRAINT "namespace_pkey" PRIMARY KEY ("organization_id", "id"),
    CONSTRAINT "namespace_root_check" CHECK (("kind" = 'ORGANIZATION') = ("parent_id" IS NULL)),
    CONSTRAINT "namespace_organization_check" CHECK ("kind" <> 'ORGANIZATION' OR "id" = "organization_id")
);

CREATE TABLE "membership" (
    "organization_id" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "namespace_id" TEXT NOT NULL,
    "role" TEXT NOT NULL CHECK ("role" IN ('GUEST', 'REPORTER', 'DEVELOPER', 'MAINTAINER', 'OWNER', 'AUDITOR')),
    CONSTRAINT "membership_pkey" PRIMARY KEY ("organization_id", "user_id", "namespace_id")
);
CREATE INDEX "membership_organization_id_namespace_id_idx" ON "membership" ("organization_id", "namespace_id");

CREATE TABLE "agent" (
    "organization_id" TEXT NOT NULL,
    "id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "classes" TEXT[],
    "trust" INTEGER NOT NULL CHECK ("trust" BETWEEN 0 AND 100),
    "owner_id" TEXT,
    "autonomous" BOOLEAN NOT NULL,
    CONSTRAINT "agent_pkey" PRIMARY KEY ("organization_id", "id")
);

CREATE TABLE "audit_event" (
    "id" UUID NOT NULL,
    "organization_id" TEXT NOT NULL,
    "type" TEXT NOT NULL,
    "namespace_id" TEXT,
    "project_id" TEXT,
    "user_id" TEXT,
    "agent_id" TEXT,
    "session_id" TEXT,
    "tool" TEXT,
    "verdict" TEXT CHECK ("verdict" IN ('ALLOW', 'ASK', 'DENY')),
    "outcome" TEXT CHECK ("outcome" IN ('SUCCEEDED', 'FAILED')),
    "xid" xid8 NOT NULL DEFAULT pg_current_xact_id(),
    "seq" BIGSERIAL NOT NULL,
    "salt" BYTEA NOT NULL,
    "seal" BYTEA NOT NULL,
    "bytes" INTEGER NOT NULL,
    "json" JSON NOT NULL,
    CONSTRAINT "audit_event_pkey" PRIMARY KEY ("id")
) PARTITION BY RANGE ("id");
CREATE INDEX "audit_event_organization_id_id_idx" ON "audit_event" ("organization_id", "id" DESC);
CREATE INDEX "audit_event_organization_id_namespace_id_id_idx" ON "audit_event" ("organization_id", "namespace_id", "id" DESC);
CREATE INDEX "audit_event_organization_id_user_id_id_idx" ON "audit_event" ("organization_id", "user_id", "id" DESC);
CREATE INDEX "audit_event_organization_id_agent_id_id_idx" ON "audit_event" ("organization_id", "agent_id", "id" DESC);
CREATE INDEX "audit_event_organization_id_session_id_id_idx" ON "audit_event" ("organization_id", "session_id", "id" DESC);
CREATE INDEX "audit_event_xid_seq_idx" ON "audit_event" ("xid", "seq");

CREATE TABLE "event_key" (
    "organization_id" TEXT NOT NULL,
    "key" BYTEA NOT NULL,
    "event_id" UUID NOT NULL,
    CONSTRAINT "event_key_pkey" PRIMARY KEY ("organization_id", "key")
);

CREATE TABLE "log_entry" (
    "organization_id" TEXT NOT NULL,
    "position" BIGINT NOT NULL,
    "event_id" UUID NOT NULL,
    CONSTRAINT "log_entry_pkey" PRIMARY KEY ("organization_id", "position")
);
CREATE UNIQUE INDEX "log_entry_event_id_key" ON "log_entry" ("event_id");

CREATE TABLE "log_head" (
    "organization_id" TEXT NOT NULL,
    "size" BIGINT NOT NULL,
    CONSTRAINT "log_head_pkey" PRIMARY KEY ("organization_id")
);

CREATE TABLE "log_sequencer" (
    "id" INTEGER NOT NULL CHECK ("id" = 1),
    "xid" xid8 NOT NULL,
    "seq" BIGINT NOT NULL,
    CONSTRAINT "log_sequencer_pkey" PRIMARY KEY ("id")
);
INSERT INTO "log_sequencer" ("id", "xid", "seq") VALUES (1, '0', 0);

CREATE TABLE "policy" (
    "id" UUID NOT NULL,
    "organization_id" TEXT NOT NULL,
    "namespace_id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "description" TEXT,
    "status" TEXT NOT NULL CHECK ("status" IN ('DRAFT', 'PUBLISHED', 'RETIRED')),
    "draft_text" TEXT NOT NULL,
    "latest_revision" INTEGER NOT NULL DEFAULT 0,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "created_by" TEXT NOT NULL,
    CONSTRAINT "policy_pkey" PRIMARY KEY ("id")
);
CREATE UNIQUE INDEX "policy_organization_id_namespace_id_name_key" ON "policy" ("organization_id", "namespace_id", "name");

CREATE TABLE "policy_revision" (
    "organization_id" TEXT NOT NULL,
    "policy_id" UUID NOT NULL,
    "revision" INTEGER NOT NULL,
    "status" TEXT NOT NULL CHECK ("status" IN ('PUBLISHED', 'RETIRED')),
    "text" TEXT NOT NULL,
    "est" JSON NOT NULL,
    "digest" TEXT NOT NULL,
    "message" TEXT,
    "published_at" TIMESTAMPTZ(3) NOT NULL,
    "published_by" TEXT NOT NULL,
    CONSTRAINT "policy_revision_pkey" PRIMARY KEY ("policy_id", "revision"),
    CONSTRAINT "policy_revision_policy_id_fkey" FOREIGN KEY ("policy_id") REFERENCES "policy" ("id") ON DELETE RESTRICT ON UPDATE CASCADE
);

CREATE TABLE "tool" (
    "organization_id" TEXT NOT NULL,
    "id" TEXT NOT NULL,
    "namespace_id" TEXT NOT NULL,
    "title" TEXT,
    "description" TEXT,
    "aliases" TEXT[],
    "input_schema" JSON NOT NULL,
    "output_schema" JSON,
    "annotations" JSON NOT NULL,
    "action_type" TEXT NOT NULL CHECK ("action_type" IN ('READ', 'WRITE', 'DESTROY')),
    "action_type_reason" TEXT,
    "definition_digest" TEXT NOT NULL,
    "registered_at" TIMESTAMPTZ(3) NOT NULL,
    "changed_at" TIMESTAMPTZ(3) NOT NULL,
    "registered_by" TEXT NOT NULL,
    CONSTRAINT "tool_pkey" PRIMARY KEY ("organization_id", "id")
);

-- The smallest UUID of version 7 that a moment can have: the bound of a month's partition.
CREATE FUNCTION "uuid_v7_floor"("moment" TIMESTAMPTZ) RETURNS UUID LANGUAGE sql IMMUTABLE STRICT AS $$
  SELECT (lpad(to_hex((extract(epoch FROM moment) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid
$$;

-- Makes the partition of a month, given by any day in it (UTC), unless it is there. ATTACH instead of PARTITION OF, which would
-- lock readers and writers of the whole table. Whoever waited for the lock must see what the winner made: to_regclass answers from a
-- cache of names that waiting does not refresh; a query does see it, since each statement of the function has a snapshot of its own.
CREATE FUNCTION "audit_event_partition_ensure"("day" DATE) RETURNS VOID LANGUAGE plpgsql AS $$
DECLARE
  first_day CONSTANT DATE := date_trunc('month', day)::date;
  partition CONSTANT TEXT := 'audit_event_' || to_char(first_day, 'YYYYMM');
BEGIN
  IF to_regclass(partition) IS NOT NULL THEN RETURN; END IF;
  PERFORM pg_advisory_xact_lock(7270736901);
  IF EXISTS (SELECT FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid WHERE inhparent = 'audit_event'::regclass AND relname = partition) THEN RETURN; END IF;
  EXECUTE format('CREATE TABLE %I (LIKE audit_event INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', partition);
  EXECUTE format('ALTER TABLE audit_event ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', partition,
    uuid_v7_floor(first_day::timestamp AT TIME ZONE 'UTC'),
    uuid_v7_floor((first_day + interval '1 month') AT TIME ZONE 'UTC'));
END
$$;
