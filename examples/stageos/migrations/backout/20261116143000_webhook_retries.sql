-- Backout of 20261116143000_webhook_retries. The release before it runs well without this; run it only when that release
-- serves alone, because v1.1.0 needs what is dropped. Deliveries stay, and how often they were tried is lost. Never named
-- in a release.
DROP TABLE webhook_attempts;
DROP INDEX webhook_deliveries_due;
ALTER TABLE webhook_deliveries
  DROP COLUMN next_attempt_at;
