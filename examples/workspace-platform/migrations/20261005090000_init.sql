-- Everything that the first release needs. Non-reversible: its way down would destroy what users have stored.
CREATE TYPE member_role AS ENUM ('OWNER', 'MEMBER', 'VIEWER');
CREATE TYPE invitation_status AS ENUM ('PENDING', 'ACCEPTED', 'REVOKED', 'EXPIRED');
CREATE TYPE document_status AS ENUM ('UPLOADED', 'EXTRACTING', 'READY', 'FAILED');

-- A user is set up by the first request to /me; Keycloak keeps the password.
CREATE TABLE users (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  keycloak_subject uuid NOT NULL UNIQUE,
  email text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE workspaces (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  slug text NOT NULL UNIQUE,
  name text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE members (
  workspace_id bigint NOT NULL REFERENCES workspaces (id),
  user_id bigint NOT NULL REFERENCES users (id),
  role member_role NOT NULL DEFAULT 'MEMBER',
  joined_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (workspace_id, user_id)
);
CREATE INDEX members_user ON members (user_id);

CREATE TABLE invitations (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  workspace_id bigint NOT NULL REFERENCES workspaces (id),
  email text NOT NULL,
  role member_role NOT NULL DEFAULT 'MEMBER',
  -- SHA-256 of the token in the link; the token itself is never stored.
  token_hash bytea NOT NULL UNIQUE CHECK (octet_length(token_hash) = 32),
  status invitation_status NOT NULL DEFAULT 'PENDING',
  expires_at timestamptz NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX invitations_workspace ON invitations (workspace_id);

-- The client makes the id, so that an upload that is sent again is taken once. A document without a workspace lies in
-- its uploader's inbox.
CREATE TABLE documents (
  id bigint PRIMARY KEY,
  note text,
  workspace_id bigint REFERENCES workspaces (id),
  uploaded_by bigint REFERENCES users (id),
  object_key text UNIQUE,
  byte_size bigint CHECK (byte_size >= 0),
  status document_status NOT NULL DEFAULT 'UPLOADED',
  created_at timestamptz NOT NULL DEFAULT now(),
  processed_at timestamptz
);
CREATE INDEX documents_workspace ON documents (workspace_id, created_at);
CREATE INDEX documents_unprocessed ON documents (id) WHERE processed_at IS NULL;
