DROP TABLE audit_events;
DROP TABLE notifications;
DROP TABLE user_settings;
