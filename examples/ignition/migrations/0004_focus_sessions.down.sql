DROP TABLE focus_sessions;
DROP TYPE focus_session_status;
