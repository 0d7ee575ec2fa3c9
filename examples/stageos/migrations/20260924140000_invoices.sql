-- Money, plugins, and the webhooks that come in and go out.
CREATE TYPE invoice_status AS ENUM ('DRAFT', 'SENT', 'PAID', 'VOID');
CREATE TYPE delivery_status AS ENUM ('WAITING', 'DELIVERED', 'FAILED');

CREATE TABLE invoices (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  band_id bigint NOT NULL REFERENCES bands (id),
  event_id bigint REFERENCES event_dossiers (id),
  number text NOT NULL,
  status invoice_status NOT NULL DEFAULT 'DRAFT',
  currency char(3) NOT NULL DEFAULT 'EUR',
  total_cents bigint NOT NULL CHECK (total_cents >= 0),
  pdf_file_id bigint REFERENCES files (id),
  updated_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (band_id, number)
);

-- Stripe sends an event more than once; its id makes the second time harmless.
CREATE TABLE stripe_events (
  id text PRIMARY KEY,
  type text NOT NULL,
  received_at timestamptz NOT NULL DEFAULT now(),
  handled_at timestamptz
);

CREATE TABLE plugins (
  band_id bigint NOT NULL REFERENCES bands (id) ON DELETE CASCADE,
  name text NOT NULL,
  enabled boolean NOT NULL DEFAULT false,
  PRIMARY KEY (band_id, name)
);

CREATE TABLE webhook_endpoints (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  band_id bigint NOT NULL REFERENCES bands (id) ON DELETE CASCADE,
  url text NOT NULL CHECK (url LIKE 'https://%')
);

CREATE TABLE webhook_deliveries (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  endpoint_id bigint NOT NULL REFERENCES webhook_endpoints (id) ON DELETE CASCADE,
  event text NOT NULL,
  payload jsonb NOT NULL,
  status delivery_status NOT NULL DEFAULT 'WAITING',
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX webhook_deliveries_waiting ON webhook_deliveries (id) WHERE status = 'WAITING';
