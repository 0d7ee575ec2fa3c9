-- Expand only: the release before this one neither sees nor needs the new columns.
ALTER TABLE orders ADD COLUMN channel text NOT NULL DEFAULT 'web';
ALTER TABLE orders ADD COLUMN processed_at timestamptz;
CREATE INDEX orders_unprocessed ON orders (id) WHERE processed_at IS NULL;
