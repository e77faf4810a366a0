-- What a text of a policy would have made of recorded decisions. `progress_at`: when the process that runs it was last heard of.
CREATE TABLE "policy_backtest" (
    "organization_id" TEXT NOT NULL,
    "id" UUID NOT NULL,
    "policy_id" UUID NOT NULL,
    "namespace_id" TEXT NOT NULL,
    "subject" TEXT NOT NULL CHECK ("subject" IN ('PUBLISH', 'RETIRE')),
    "digest" TEXT NOT NULL,
    "baseline" TEXT NOT NULL CHECK ("baseline" IN ('IN_FORCE', 'RECORDED')),
    "range_from" TIMESTAMPTZ(3) NOT NULL,
    "range_to" TIMESTAMPTZ(3) NOT NULL,
    "is_filtered" BOOLEAN NOT NULL,
    "status" TEXT NOT NULL CHECK ("status" IN ('RUNNING', 'DONE', 'CANCELLED', 'FAILED')),
    "problem" TEXT,
    "started_at" TIMESTAMPTZ(3) NOT NULL,
    "started_by" TEXT NOT NULL,
    "progress_at" TIMESTAMPTZ(3) NOT NULL,
    "progress" REAL NOT NULL DEFAULT 0,
    "examined" BIGINT NOT NULL DEFAULT 0,
    "finished_at" TIMESTAMPTZ(3),
    "report" JSON,
    "report_digest" TEXT,
    CONSTRAINT "policy_backtest_pkey" PRIMARY KEY ("id"),
    CONSTRAINT "policy_backtest_policy_id_fkey" FOREIGN KEY ("policy_id") REFERENCES "policy" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
    CHECK ("range_from" < "range_to"),
    CHECK (("status" = 'RUNNING') = ("finished_at" IS NULL)),
    CHECK (("status" = 'DONE') = ("report" IS NOT NULL))
);
CREATE INDEX "policy_backtest_policy_id_started_at_idx" ON "policy_backtest" ("policy_id", "started_at" DESC);

-- The calls behind the numbers of a report.
CREATE TABLE "policy_backtest_call" (
    "organization_id" TEXT NOT NULL,
    "backtest_id" UUID NOT NULL,
    "event_id" UUID NOT NULL,
    "change" TEXT NOT NULL CHECK ("change" IN ('NEWLY_DENIED', 'NEWLY_ASKED', 'NEWLY_ALLOWED')),
    "before" TEXT NOT NULL,
    "after" TEXT NOT NULL,
    "agent_id" TEXT NOT NULL,
    "tool" TEXT NOT NULL,
    "project_id" TEXT NOT NULL,
    "policy_ids" UUID[] NOT NULL,
    CONSTRAINT "policy_backtest_call_pkey" PRIMARY KEY ("backtest_id", "event_id"),
    CONSTRAINT "policy_backtest_call_backtest_id_fkey" FOREIGN KEY ("backtest_id") REFERENCES "policy_backtest" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

-- Namespaces in which, with all below, nothing is published without a backtest that changes no more than this.
CREATE TABLE "policy_backtest_demand" (
    "organization_id" TEXT NOT NULL,
    "namespace_id" TEXT NOT NULL,
    "days" INTEGER NOT NULL CHECK ("days" BETWEEN 1 AND 366),
    "max_newly_denied" INTEGER CHECK ("max_newly_denied" >= 0),
    "max_newly_asked" INTEGER CHECK ("max_newly_asked" >= 0),
    "max_newly_allowed" INTEGER CHECK ("max_newly_allowed" >= 0),
    "set_at" TIMESTAMPTZ(3) NOT NULL,
    "set_by" TEXT NOT NULL,
    CONSTRAINT "policy_backtest_demand_pkey" PRIMARY KEY ("organization_id", "namespace_id")
);

-- The report on which a revision was published.
ALTER TABLE "policy_revision" ADD COLUMN "backtest_digest" TEXT;

GRANT SELECT, INSERT, UPDATE, DELETE ON "policy_backtest", "policy_backtest_demand" TO agent_governance_app;
GRANT SELECT, INSERT, DELETE ON "policy_backtest_call" TO agent_governance_app;

DO $$
DECLARE
  name TEXT;
BEGIN
  FOREACH name IN ARRAY ARRAY['policy_backtest', 'policy_backtest_call', 'policy_backtest_demand'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format('CREATE POLICY of_one_organization ON %I USING (organization_id = (SELECT current_organization()))', name);
  END LOOP;
END
$$;
