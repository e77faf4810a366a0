-- Policies as code: a folder in a repository stands for the policies of one namespace.

-- AS_CODE: the text is changed by applying that folder, and not by hand.
ALTER TABLE "policy" DROP CONSTRAINT "policy_origin_check",
    ADD CONSTRAINT "policy_origin_check" CHECK ("origin" IN ('AUTHORED', 'TOOL_RULES', 'AS_CODE'));

-- How it was applied as code last; kept when it is released to be changed by hand. `applied_revision`: the latest revision then. `repository`:
-- where the folder is, as whoever applied it said.
ALTER TABLE "policy"
    ADD COLUMN "applied_revision" INTEGER,
    ADD COLUMN "repository" TEXT,
    ADD CHECK ("origin" <> 'AS_CODE' OR "applied_revision" IS NOT NULL),
    ADD CHECK ("repository" IS NULL OR "applied_revision" IS NOT NULL);

-- Users, such as service accounts of CI jobs, whose applies need no review where a second person must review what is published: their
-- repository sees to that.
ALTER TABLE "policy_setting" ADD COLUMN "trusted_appliers" TEXT[] NOT NULL DEFAULT '{}';
