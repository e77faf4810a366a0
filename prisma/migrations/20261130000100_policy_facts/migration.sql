-- What policies may speak about beyond what the platform has told so far: how confidential a namespace's data are, whether it is frozen,
-- which clock the organization lives by, which teams its users are in, and what tools are labelled with.
ALTER TABLE "namespace"
  ADD COLUMN "data_class" SMALLINT CHECK ("data_class" BETWEEN 0 AND 3),
  ADD COLUMN "frozen" BOOLEAN NOT NULL DEFAULT false,
  ADD COLUMN "time_zone" TEXT;

ALTER TABLE "tool" ADD COLUMN "labels" TEXT[] NOT NULL DEFAULT '{}';

-- Users of whom the platform has told more than where they are members.
CREATE TABLE "directory_user" (
    "organization_id" TEXT NOT NULL,
    "id" TEXT NOT NULL,
    "teams" TEXT[] NOT NULL,
    CONSTRAINT "directory_user_pkey" PRIMARY KEY ("organization_id", "id")
);
GRANT SELECT, INSERT, UPDATE, DELETE ON "directory_user" TO agent_governance_app;
ALTER TABLE "directory_user" ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_one_organization ON "directory_user" USING (organization_id = (SELECT current_organization()));
