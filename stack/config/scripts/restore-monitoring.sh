#!/bin/sh
# Puts a backup back: restore-monitoring.sh FOLDER. What the stack has now is replaced, service by
# service; the secrets stay, so that passwords are those of now. Nothing is touched unless every file
# of the backup is what it was.
#
# Ends with 2 for a folder that is no backup, or a damaged one.
set -eu
folder=$(cd "${1:?which backup? Name its folder, such as backups/monitoring-20260101T000000Z}" 2> /dev/null && pwd) || {
    echo "$1 is not a folder." >&2
    exit 2
}
# shellcheck source=compose.sh
. "$(dirname "$0")/compose.sh"
[ -s "$folder/SHA256SUMS" ] || refuse "$folder is no backup: it has no SHA256SUMS." "Name a folder that backup-monitoring.sh made."
(cd "$folder" && sha256sum --check --quiet SHA256SUMS) || refuse "$folder is damaged." "Nothing was touched. Take another one."
database=$(container postgresql)
[ -n "$database" ] || refuse "the stack has no containers." "Start it first; what it has is replaced." 3
image=$(docker inspect --format '{{.Image}}' "$database")

stopped=""
finish() {
    code=$?
    [ -z "$stopped" ] || docker start "$stopped" > /dev/null
    exit "$code"
}
trap finish EXIT
trap 'exit 130' INT TERM

# Unpacked beside what is there, which goes only then.
# shellcheck disable=SC2016  # it is another shell's
replace='set -e
cd "$1"
rm -rf .restored
mkdir .restored
tar -xpf - -C .restored
for at in * .[!.]*; do
    [ "$at" = .restored ] || rm -rf "$at"
done
for at in .restored/* .restored/.[!.]*; do
    [ ! -e "$at" ] || mv "$at" .
done
rmdir .restored'

for service in prometheus alertmanager loki grafana inbox; do
    [ -f "$folder/$service.tar" ] || continue
    found=$(container "$service")
    [ -n "$found" ] || refuse "there is no container of $service." "Start the stack first." 3
    data=$(data_of "$service" "$found")
    docker stop "$found" > /dev/null
    stopped=$found
    docker run --rm --interactive --network none --user 0 --read-only --cap-drop ALL \
        --cap-add CHOWN --cap-add DAC_OVERRIDE --cap-add FOWNER --volumes-from "$found" \
        --entrypoint /bin/busybox "$image" sh -c "$replace" sh "$data" < "$folder/$service.tar"
    start "$found"
    stopped=""
done
docker exec --interactive "$database" sh -c 'read -r PGPASSWORD < "$POSTGRES_PASSWORD_FILE" || [ -n "$PGPASSWORD" ]; export PGPASSWORD
exec pg_restore --host=127.0.0.1 --username=postgres --dbname=residency --clean --if-exists --single-transaction' < "$folder/postgresql.dump"
echo "$folder is put back."
