-- The cases of a policy, calls with what is wanted of them: a JSON text beside the Cedar text, exactly as it was given. Null: none.
ALTER TABLE "policy" ADD COLUMN "draft_cases" TEXT;
ALTER TABLE "policy_revision" ADD COLUMN "cases" TEXT;

-- A review is of the cases too: whoever agreed to a text with these has not agreed to it with others. Null: there were none.
ALTER TABLE "policy_review" ADD COLUMN "cases_digest" TEXT;
