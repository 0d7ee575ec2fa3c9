-- Backout of 20260924140000_invoices. It loses every invoice and delivery: only on an empty database, or after the
-- snapshot from before the migration was restored. Never named in a release.
DROP TABLE webhook_deliveries;
DROP TABLE webhook_endpoints;
DROP TABLE plugins;
DROP TABLE stripe_events;
DROP TABLE invoices;
DROP TYPE delivery_status;
DROP TYPE invoice_status;
