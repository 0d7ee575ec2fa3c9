DROP TABLE oauth_states;
DROP TABLE sessions;
