-- Backout of 20260903080000_accounts. It loses every account and the audit log: only on an empty database, or after the
-- snapshot from before the migration was restored. Never named in a release.
DROP TABLE audit_log;
DROP TABLE memberships;
DROP TABLE bands;
DROP TABLE refresh_tokens;
DROP TABLE totp_recovery_codes;
DROP TABLE users;
DROP TYPE member_role;
