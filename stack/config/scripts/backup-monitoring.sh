#!/bin/sh
# Backs up what the stack has kept: backup-monitoring.sh [FOLDER], by default backups/. Each backup is
# a folder of its own with the time in its name, complete once it has that name; the last 7 are kept.
#
# It holds the scheduler's database (by pg_dump, while it runs) and the volumes of Prometheus,
# Alertmanager, Loki, Grafana and the inbox. Each of these is stopped for the seconds that copying
# takes, since a copy of files that are being written is none; meanwhile nothing is scraped, sent or
# taken in, and the shipper waits. It does not hold secrets, .env and configuration, which are files
# beside it: keep them where such things are kept.
#
# Ends with 1 if anything could not be backed up; what was stopped runs again in any case.
set -eu
umask 077
# shellcheck source=compose.sh
. "$(dirname "$0")/compose.sh"
folder=${1:-backups}
made="$folder/monitoring-$(date -u +%Y%m%dT%H%M%SZ)"
new="$folder/.new-$$"
stopped=""

finish() {
    code=$?
    [ -z "$stopped" ] || docker start "$stopped" > /dev/null
    rm -rf "$new"
    exit "$code"
}
trap finish EXIT
trap 'exit 130' INT TERM

mkdir -p "$new"
database=$(container postgresql)
[ -n "$database" ] || refuse "the stack has no containers." "Start it first: there is nothing to back up." 3
image=$(docker inspect --format '{{.Image}}' "$database")

docker exec "$database" sh -c 'read -r PGPASSWORD < "$POSTGRES_PASSWORD_FILE" || [ -n "$PGPASSWORD" ]; export PGPASSWORD
exec pg_dump --host=127.0.0.1 --username=postgres --format=custom --dbname=residency' > "$new/postgresql.dump"

for service in prometheus alertmanager loki grafana inbox; do
    found=$(container "$service")
    [ -n "$found" ] || refuse "there is no container of $service." "Start the stack first." 1
    data=$(data_of "$service" "$found")
    docker stop "$found" > /dev/null
    stopped=$found
    docker run --rm --network none --user 0 --read-only --cap-drop ALL --cap-add DAC_READ_SEARCH \
        --volumes-from "$found:ro" --entrypoint /bin/busybox "$image" tar -C "$data" -cf - . > "$new/$service.tar"
    start "$found"
    stopped=""
done
(cd "$new" && sha256sum -- * > SHA256SUMS)
mv "$new" "$made"
echo "$made: $(du -sh "$made" | cut -f1)"
# shellcheck disable=SC2012  # names are those given above
ls -d "$folder"/monitoring-* | sort | head -n -7 | while read -r old; do rm -rf "$old"; done
