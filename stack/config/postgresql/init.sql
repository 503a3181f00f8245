-- Roles, the scheduler's database and its extension, at a container's first start. Passwords are read
-- from the secrets by the server itself, so that no command line and no environment has one. (A
-- native instance makes the same by itself.)
\set QUIET on
SET log_min_error_statement = panic;
SELECT format('CREATE ROLE scheduler LOGIN PASSWORD %L',
              trim(pg_read_file('/run/secrets/scheduler_database_password'), E'\r\n ')) \gexec
SELECT format('CREATE ROLE exporter LOGIN PASSWORD %L',
              trim(pg_read_file('/run/secrets/exporter_database_password'), E'\r\n ')) \gexec
GRANT pg_monitor TO exporter;
GRANT pg_use_reserved_connections TO exporter;
CREATE DATABASE residency OWNER scheduler;
\connect residency
CREATE EXTENSION IF NOT EXISTS pg_stat_statements;
