-- Expand only. Reversible: the queue in Redis has the jobs, this is what the worker has done with them.
CREATE TYPE extraction_outcome AS ENUM ('COMPLETED', 'RETRIED', 'DEAD_LETTERED');

CREATE TABLE extraction_jobs (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  document_id bigint NOT NULL REFERENCES documents (id),
  attempt integer NOT NULL DEFAULT 1 CHECK (attempt >= 1),
  outcome extraction_outcome,
  error text,
  started_at timestamptz NOT NULL DEFAULT now(),
  finished_at timestamptz,
  UNIQUE (document_id, attempt)
);
CREATE INDEX extraction_jobs_open ON extraction_jobs (started_at) WHERE finished_at IS NULL;
