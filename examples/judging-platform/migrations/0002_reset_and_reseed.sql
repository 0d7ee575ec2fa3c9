-- The planned reset and reseed: the state model begins with one pipeline and without what rehearsals left in it. Projects,
-- users and votes are not touched. Without CASCADE, a table that refers to one of these and is not named stops the
-- migration instead of being emptied with them.
TRUNCATE
  "AudienceVoter", "CohortProject", "Cohort", "LiveProgressCursor", "OverrideAction",
  "ProjectStageState", "RoutingRule", "StageTransition", "Stage", "Track", "Pipeline";

INSERT INTO "Pipeline" (id, slug, name, status) VALUES ('pipeline-main', 'main', 'Main', 'ACTIVE');

INSERT INTO "Track" (id, "pipelineId", slug, name, kind, "decisionMode", "sortOrder") VALUES
  ('track-main', 'pipeline-main', 'main', 'Main competition', 'MAIN', 'JURY_VOTE', 0),
  ('track-award', 'pipeline-main', 'audience-award', 'Award of the audience', 'AWARD', 'AWARD_MASTER', 1);

INSERT INTO "Stage" (id, "pipelineId", "trackId", slug, name, kind, status, "sortOrder") VALUES
  ('stage-intake', 'pipeline-main', 'track-main', 'intake', 'Applications', 'INTAKE', 'ACTIVE', 0),
  ('stage-filter', 'pipeline-main', 'track-main', 'filter', 'Eligibility', 'FILTER', 'DRAFT', 1),
  ('stage-jury', 'pipeline-main', 'track-main', 'jury', 'Scores of the jury', 'EVALUATION', 'DRAFT', 2),
  ('stage-selection', 'pipeline-main', 'track-main', 'selection', 'Finalists', 'SELECTION', 'DRAFT', 3),
  ('stage-live', 'pipeline-main', 'track-main', 'live', 'Live final', 'LIVE_FINAL', 'DRAFT', 4),
  ('stage-results', 'pipeline-main', 'track-main', 'results', 'Results', 'RESULTS', 'DRAFT', 5),
  ('stage-award', 'pipeline-main', 'track-award', 'vote', 'Vote of the audience', 'LIVE_FINAL', 'DRAFT', 0);

INSERT INTO "StageTransition" (id, "fromStageId", "toStageId", "isDefault")
SELECT earlier.id || '>' || later.id, earlier.id, later.id, true
FROM "Stage" AS earlier
JOIN "Stage" AS later
  ON later."trackId" = earlier."trackId" AND later."sortOrder" = earlier."sortOrder" + 1;

INSERT INTO "RoutingRule" (id, "pipelineId", "toTrackId", mode, predicate) VALUES
  ('rule-award', 'pipeline-main', 'track-award', 'SHARED', '{"field": "stage", "is": "stage-selection"}');

INSERT INTO "LiveProgressCursor" (id, "stageId", "isPaused")
SELECT 'cursor-' || id, id, true FROM "Stage" WHERE kind = 'LIVE_FINAL';
