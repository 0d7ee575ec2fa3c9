CREATE TYPE task_status AS ENUM ('open', 'done');

CREATE TABLE goals (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  title text NOT NULL CHECK (title <> ''),
  created_at timestamptz NOT NULL DEFAULT now(),
  archived_at timestamptz
);
CREATE INDEX goals_user ON goals (user_id) WHERE archived_at IS NULL;

CREATE TABLE tasks (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  goal_id uuid REFERENCES goals (id) ON DELETE SET NULL,
  title text NOT NULL CHECK (title <> ''),
  status task_status NOT NULL DEFAULT 'open',
  position integer NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL DEFAULT now(),
  done_at timestamptz
);
CREATE INDEX tasks_user ON tasks (user_id, position) WHERE status = 'open';

CREATE TABLE tags (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  name text NOT NULL CHECK (name <> ''),
  UNIQUE (user_id, name)
);
CREATE TABLE task_tags (
  task_id uuid NOT NULL REFERENCES tasks (id) ON DELETE CASCADE,
  tag_id uuid NOT NULL REFERENCES tags (id) ON DELETE CASCADE,
  PRIMARY KEY (task_id, tag_id)
);

-- A focus session may be about a task; one that is not stays as it is.
ALTER TABLE focus_sessions ADD COLUMN task_id uuid REFERENCES tasks (id) ON DELETE SET NULL;
