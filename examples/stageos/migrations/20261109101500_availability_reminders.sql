-- Expand only: the release before this one asks without a reminder, and null says that none is wanted.
ALTER TABLE availability_requests
  ADD COLUMN remind_at timestamptz,
  ADD COLUMN reminded_at timestamptz,
  ADD CONSTRAINT availability_requests_reminder CHECK (remind_at IS NOT NULL OR reminded_at IS NULL);

CREATE INDEX availability_requests_due ON availability_requests (remind_at)
  WHERE reminded_at IS NULL AND answer = 'OPEN';
