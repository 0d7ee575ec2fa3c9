-- Applied at the cutover, behind the final backup: what the first day of statistics is reckoned from.
CREATE TABLE daily_focus (
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  day date NOT NULL,
  completed_sessions integer NOT NULL DEFAULT 0 CHECK (completed_sessions >= 0),
  focused_minutes integer NOT NULL DEFAULT 0 CHECK (focused_minutes >= 0),
  PRIMARY KEY (user_id, day)
);
CREATE INDEX focus_sessions_ended ON focus_sessions (ended_at) WHERE status = 'completed';
