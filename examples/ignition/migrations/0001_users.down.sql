DROP TABLE oauth_accounts;
DROP TABLE users;
DROP TYPE oauth_provider;
