-- Expand only: two new tables that the release before this one does not touch. Reversible.
CREATE TABLE tags (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  workspace_id bigint NOT NULL REFERENCES workspaces (id),
  name text NOT NULL,
  UNIQUE (workspace_id, name)
);

CREATE TABLE document_tags (
  document_id bigint NOT NULL REFERENCES documents (id),
  tag_id bigint NOT NULL REFERENCES tags (id),
  tagged_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (document_id, tag_id)
);
CREATE INDEX document_tags_tag ON document_tags (tag_id);
