-- Expand only: a column that the release before this one does not fill.
ALTER TABLE "AudienceVoter" ADD COLUMN "lastSeenAt" timestamptz;
CREATE INDEX "AudienceVoter_last_seen" ON "AudienceVoter" ("cohortId", "lastSeenAt");
