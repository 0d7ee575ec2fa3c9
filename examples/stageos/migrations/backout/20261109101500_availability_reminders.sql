-- Backout of 20261109101500_availability_reminders. The release before it runs well without this; run it only when that
-- release serves alone, because v1.1.0 needs what is dropped. Requests and answers stay; when to remind is lost. Never
-- named in a release.
DROP INDEX availability_requests_due;
ALTER TABLE availability_requests
  DROP CONSTRAINT availability_requests_reminder,
  DROP COLUMN reminded_at,
  DROP COLUMN remind_at;
