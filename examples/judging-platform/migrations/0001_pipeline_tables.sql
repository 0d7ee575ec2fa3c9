-- Expand only: the round system neither sees nor needs these tables. Projects and users are referred to by id and without
-- a key, because a key would lock their tables, which the round system still writes.
CREATE TYPE "PipelineStatus" AS ENUM ('DRAFT', 'ACTIVE', 'ARCHIVED');
CREATE TYPE "TrackKind" AS ENUM ('MAIN', 'AWARD', 'SHOWCASE');
CREATE TYPE "DecisionMode" AS ENUM ('JURY_VOTE', 'AWARD_MASTER', 'ADMIN');
CREATE TYPE "StageKind" AS ENUM (
  'INTAKE', 'FILTER', 'EVALUATION', 'SELECTION', 'LIVE_FINAL', 'RESULTS'
);
CREATE TYPE "StageStatus" AS ENUM ('DRAFT', 'ACTIVE', 'CLOSED');
CREATE TYPE "ProjectStageStatus" AS ENUM (
  'PENDING', 'IN_PROGRESS', 'PASSED', 'REJECTED', 'ROUTED'
);
CREATE TYPE "RoutingMode" AS ENUM ('SHARED', 'EXCLUSIVE');
CREATE TYPE "OverrideReason" AS ENUM (
  'DATA_CORRECTION', 'POLICY_EXCEPTION', 'JURY_CONFLICT', 'SPONSOR_DECISION'
);

CREATE TABLE "Pipeline" (
  id text PRIMARY KEY,
  slug text NOT NULL UNIQUE,
  name text NOT NULL,
  status "PipelineStatus" NOT NULL DEFAULT 'DRAFT',
  "createdAt" timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE "Track" (
  id text PRIMARY KEY,
  "pipelineId" text NOT NULL REFERENCES "Pipeline" (id),
  slug text NOT NULL,
  name text NOT NULL,
  kind "TrackKind" NOT NULL DEFAULT 'MAIN',
  "decisionMode" "DecisionMode" NOT NULL DEFAULT 'JURY_VOTE',
  "sortOrder" integer NOT NULL DEFAULT 0,
  UNIQUE ("pipelineId", slug)
);

CREATE TABLE "Stage" (
  id text PRIMARY KEY,
  "pipelineId" text NOT NULL REFERENCES "Pipeline" (id),
  "trackId" text NOT NULL REFERENCES "Track" (id),
  slug text NOT NULL,
  name text NOT NULL,
  kind "StageKind" NOT NULL,
  status "StageStatus" NOT NULL DEFAULT 'DRAFT',
  "sortOrder" integer NOT NULL DEFAULT 0,
  config jsonb NOT NULL DEFAULT '{}',
  "opensAt" timestamptz,
  "closesAt" timestamptz,
  UNIQUE ("trackId", slug),
  CHECK ("opensAt" IS NULL OR "closesAt" IS NULL OR "opensAt" < "closesAt")
);

CREATE TABLE "StageTransition" (
  id text PRIMARY KEY,
  "fromStageId" text NOT NULL REFERENCES "Stage" (id),
  "toStageId" text NOT NULL REFERENCES "Stage" (id),
  "isDefault" boolean NOT NULL DEFAULT false,
  UNIQUE ("fromStageId", "toStageId"),
  CHECK ("fromStageId" <> "toStageId")
);

CREATE TABLE "ProjectStageState" (
  id text PRIMARY KEY,
  "projectId" text NOT NULL,
  "trackId" text NOT NULL REFERENCES "Track" (id),
  "stageId" text NOT NULL REFERENCES "Stage" (id),
  status "ProjectStageStatus" NOT NULL DEFAULT 'PENDING',
  "enteredAt" timestamptz NOT NULL DEFAULT now(),
  "exitedAt" timestamptz,
  UNIQUE ("projectId", "trackId", "stageId")
);
CREATE INDEX "ProjectStageState_stage" ON "ProjectStageState" ("stageId", status);

CREATE TABLE "RoutingRule" (
  id text PRIMARY KEY,
  "pipelineId" text NOT NULL REFERENCES "Pipeline" (id),
  "toTrackId" text NOT NULL REFERENCES "Track" (id),
  mode "RoutingMode" NOT NULL DEFAULT 'SHARED',
  predicate jsonb NOT NULL,
  priority integer NOT NULL DEFAULT 0,
  "isActive" boolean NOT NULL DEFAULT true
);

CREATE TABLE "Cohort" (
  id text PRIMARY KEY,
  "stageId" text NOT NULL REFERENCES "Stage" (id),
  name text NOT NULL,
  "isOpen" boolean NOT NULL DEFAULT false,
  "votingOpensAt" timestamptz,
  "votingClosesAt" timestamptz
);

CREATE TABLE "CohortProject" (
  id text PRIMARY KEY,
  "cohortId" text NOT NULL REFERENCES "Cohort" (id),
  "projectId" text NOT NULL,
  "sortOrder" integer NOT NULL DEFAULT 0,
  UNIQUE ("cohortId", "projectId")
);

CREATE TABLE "LiveProgressCursor" (
  id text PRIMARY KEY,
  "stageId" text NOT NULL UNIQUE REFERENCES "Stage" (id),
  "activeProjectId" text,
  "isPaused" boolean NOT NULL DEFAULT false,
  "updatedAt" timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE "OverrideAction" (
  id text PRIMARY KEY,
  "projectStageStateId" text NOT NULL REFERENCES "ProjectStageState" (id),
  reason "OverrideReason" NOT NULL,
  note text NOT NULL,
  "actorId" text NOT NULL,
  "createdAt" timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE "AudienceVoter" (
  id text PRIMARY KEY,
  "cohortId" text NOT NULL REFERENCES "Cohort" (id),
  token text NOT NULL UNIQUE,
  "createdAt" timestamptz NOT NULL DEFAULT now()
);

-- The round system has this table once it has started; what it writes stays as it is.
CREATE TABLE IF NOT EXISTS votes (
  id bigint PRIMARY KEY,
  note text,
  created_at timestamptz DEFAULT now()
);
ALTER TABLE votes ADD COLUMN voter_id text, ADD COLUMN project_id text;
CREATE UNIQUE INDEX votes_once ON votes (voter_id, project_id);
