ALTER TABLE focus_sessions DROP COLUMN task_id;
DROP TABLE task_tags;
DROP TABLE tags;
DROP TABLE tasks;
DROP TABLE goals;
DROP TYPE task_status;
