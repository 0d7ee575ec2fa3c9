DROP INDEX focus_sessions_ended;
DROP TABLE daily_focus;
