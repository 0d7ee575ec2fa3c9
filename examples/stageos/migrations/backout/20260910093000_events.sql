-- Backout of 20260910093000_events. It loses every event, setlist and file entry: only on an empty database, or after the
-- snapshot from before the migration was restored. Never named in a release.
DROP TABLE setlist_exports;
DROP TABLE files;
DROP TABLE setlist_songs;
DROP TABLE setlists;
DROP TABLE availability_requests;
DROP TABLE event_dossiers;
DROP TYPE export_format;
DROP TYPE scan_status;
DROP TYPE availability_answer;
DROP TYPE event_status;
