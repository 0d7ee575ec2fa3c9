-- Who is an admin stands here and nowhere else (DEC-004). The roles are the seed; grants are made by people.
CREATE TABLE admin_roles (
  role text PRIMARY KEY CHECK (role ~ '^[a-z][a-z-]*$'),
  description text NOT NULL
);
INSERT INTO admin_roles (role, description) VALUES
  ('support', 'Reads accounts and sessions, changes nothing.'),
  ('moderator', 'Removes files and suspends accounts.'),
  ('owner', 'Grants and takes away roles.');

CREATE TABLE admin_role_grants (
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  role text NOT NULL REFERENCES admin_roles (role),
  granted_by uuid REFERENCES users (id) ON DELETE SET NULL,
  granted_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (user_id, role)
);
