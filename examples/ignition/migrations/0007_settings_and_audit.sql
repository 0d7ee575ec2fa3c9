CREATE TABLE user_settings (
  user_id uuid PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
  time_zone text NOT NULL DEFAULT 'UTC',
  session_minutes integer NOT NULL DEFAULT 25 CHECK (session_minutes BETWEEN 1 AND 480),
  break_minutes integer NOT NULL DEFAULT 5 CHECK (break_minutes BETWEEN 1 AND 120),
  notify boolean NOT NULL DEFAULT true
);

CREATE TABLE notifications (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  body text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  read_at timestamptz
);
CREATE INDEX notifications_unread ON notifications (user_id) WHERE read_at IS NULL;

-- What admins do. An entry outlives the account that it is about.
CREATE TABLE audit_events (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  actor_id uuid REFERENCES users (id) ON DELETE SET NULL,
  action text NOT NULL,
  subject text NOT NULL,
  at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX audit_events_at ON audit_events (at);
