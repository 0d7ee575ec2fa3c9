-- Expand only: the release before this one never reads the new value. Non-reversible: PostgreSQL takes no value out of
-- an enum. Nothing is archived here; a job of the worker does that, behind the flag document-archive.
ALTER TYPE document_status ADD VALUE 'ARCHIVED';
ALTER TABLE documents ADD COLUMN archived_at timestamptz;
