-- Expand only. Reversible: a view holds nothing of its own.
CREATE VIEW workspace_summary AS
SELECT
  workspaces.id AS workspace_id,
  count(documents.id) AS documents,
  count(documents.id) FILTER (WHERE documents.processed_at IS NULL) AS waiting,
  coalesce(sum(documents.byte_size), 0) AS bytes,
  max(documents.created_at) AS newest_at
FROM workspaces
LEFT JOIN documents ON documents.workspace_id = workspaces.id
GROUP BY workspaces.id;
