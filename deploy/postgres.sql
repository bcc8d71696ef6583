-- Once, by a superuser: runuser -u postgres -- psql -f deploy/postgres.sql
-- Who may log in as whom is peer authentication's to say: the system user of the same name.
create role "fbacap" login;
create role "fbacap-audit" login;
create database "fbacap" owner "fbacap" encoding 'UTF8' template template0;
revoke all on database "fbacap" from public;
grant connect on database "fbacap" to "fbacap-audit";
\connect fbacap
revoke all on schema public from public;
grant usage, create on schema public to "fbacap";
grant usage on schema public to "fbacap-audit";
alter default privileges for role "fbacap" in schema public
    grant select on tables to "fbacap-audit";
