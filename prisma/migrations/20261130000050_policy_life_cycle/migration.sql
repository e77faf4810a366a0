-- The life cycle of policies: drafts with a guard of their own, reviews, schedules, modes; settings; rules about tools.

-- Which version of the draft there is, and who wrote it. `origin`: who writes the text, a person or agentToolRuleSet.
ALTER TABLE "policy"
    ADD COLUMN "origin" TEXT NOT NULL DEFAULT 'AUTHORED' CHECK ("origin" IN ('AUTHORED', 'TOOL_RULES')),
    ADD COLUMN "draft_version" INTEGER NOT NULL DEFAULT 1,
    ADD COLUMN "draft_saved_at" TIMESTAMPTZ(3),
    ADD COLUMN "draft_saved_by" TEXT;
-- What was published last was the draft then.
UPDATE "policy" SET "draft_saved_at" = "created_at", "draft_saved_by" = "created_by";
UPDATE "policy" SET "draft_saved_at" = latest."published_at", "draft_saved_by" = latest."published_by"
FROM "policy_revision" latest WHERE latest."policy_id" = "policy"."id" AND latest."revision" = "policy"."latest_revision";
ALTER TABLE "policy" ALTER COLUMN "draft_saved_at" SET NOT NULL, ALTER COLUMN "draft_saved_by" SET NOT NULL;

-- `effective_from` null: from the moment of its commit. A time would be compared with the clocks of other processes.
ALTER TABLE "policy_revision"
    ADD COLUMN "author" TEXT,
    ADD COLUMN "reviewer" TEXT,
    ADD COLUMN "mode" TEXT NOT NULL DEFAULT 'ENFORCE' CHECK ("mode" IN ('ENFORCE', 'SHADOW')),
    ADD COLUMN "effective_from" TIMESTAMPTZ(3),
    ADD COLUMN "effective_until" TIMESTAMPTZ(3),
    ADD COLUMN "repeats" INTEGER,
    ADD CHECK ("effective_until" > "effective_from"),
    ADD CHECK ("status" = 'PUBLISHED' OR ("mode" = 'ENFORCE' AND "effective_from" IS NULL AND "effective_until" IS NULL));
UPDATE "policy_revision" SET "author" = "published_by";
ALTER TABLE "policy_revision" ALTER COLUMN "author" SET NOT NULL;

-- What a second person has looked at, exactly: a version of the draft or, for a retirement, a revision, how and when it is to be
-- in force, by the digest of its text.
CREATE TABLE "policy_review" (
    "organization_id" TEXT NOT NULL,
    "id" UUID NOT NULL,
    "policy_id" UUID NOT NULL,
    "subject" TEXT NOT NULL CHECK ("subject" IN ('PUBLISH', 'RETIRE')),
    "number" INTEGER NOT NULL,
    "digest" TEXT NOT NULL,
    "mode" TEXT NOT NULL CHECK ("mode" IN ('ENFORCE', 'SHADOW')),
    "effective_from" TIMESTAMPTZ(3),
    "effective_until" TIMESTAMPTZ(3),
    "message" TEXT,
    "reviewed_at" TIMESTAMPTZ(3) NOT NULL,
    "reviewed_by" TEXT NOT NULL,
    CONSTRAINT "policy_review_pkey" PRIMARY KEY ("id"),
    CONSTRAINT "policy_review_policy_id_fkey" FOREIGN KEY ("policy_id") REFERENCES "policy" ("id") ON DELETE RESTRICT ON UPDATE CASCADE
);
CREATE INDEX "policy_review_policy_id_subject_number_idx" ON "policy_review" ("policy_id", "subject", "number");

-- Namespaces in which, with all below, nothing is published that a second person has not reviewed.
CREATE TABLE "policy_setting" (
    "organization_id" TEXT NOT NULL,
    "namespace_id" TEXT NOT NULL,
    "set_at" TIMESTAMPTZ(3) NOT NULL,
    "set_by" TEXT NOT NULL,
    CONSTRAINT "policy_setting_pkey" PRIMARY KEY ("organization_id", "namespace_id")
);

-- What agents of a class may do with a tool in a namespace and below. Each is text of one policy, which is what decides.
CREATE TABLE "tool_rule" (
    "organization_id" TEXT NOT NULL,
    "namespace_id" TEXT NOT NULL,
    "tool" TEXT NOT NULL,
    "agent_class" TEXT NOT NULL,
    "verdict" TEXT NOT NULL CHECK ("verdict" IN ('ALLOW', 'ASK', 'DENY')),
    "policy_id" UUID NOT NULL,
    "set_at" TIMESTAMPTZ(3) NOT NULL,
    "set_by" TEXT NOT NULL,
    CONSTRAINT "tool_rule_pkey" PRIMARY KEY ("organization_id", "namespace_id", "tool", "agent_class"),
    CONSTRAINT "tool_rule_policy_id_fkey" FOREIGN KEY ("policy_id") REFERENCES "policy" ("id") ON DELETE RESTRICT ON UPDATE CASCADE
);
CREATE INDEX "tool_rule_policy_id_idx" ON "tool_rule" ("policy_id");

-- Reviews are added and read, never changed.
GRANT SELECT, INSERT ON "policy_review" TO agent_governance_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON "policy_setting", "tool_rule" TO agent_governance_app;

DO $$
DECLARE
  name TEXT;
BEGIN
  FOREACH name IN ARRAY ARRAY['policy_review', 'policy_setting', 'tool_rule'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format('CREATE POLICY of_one_organization ON %I USING (organization_id = (SELECT current_organization()))', name);
  END LOOP;
END
$$;
