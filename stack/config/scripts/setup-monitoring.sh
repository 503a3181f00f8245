#!/bin/sh
# Writes .env and the secrets, and starts the stack for development; on a server,
# `PRODUCTION=yes ./scripts/setup-monitoring.sh` starts it with no port but the front's. Can be run
# again at any time: what is there stays.
set -eu
# shellcheck source=compose.sh
. "$(dirname "$0")/compose.sh"
./scripts/make-secrets.sh
if grep -q '^STORE_RELEASE=[[:space:]]*$' .env; then
    # `docker load` has brought them, and which they are stands in their tag.
    release=$(docker images --format '{{.Tag}}' residency-lab/prometheus | grep -E '^[0-9a-f]{12}$' | head -n 1)
    [ -n "$release" ] || refuse "Docker has no images of the lab's own." "Make them with \`doit images\`, and \`docker load --input all.tar\`." 3
    sed -i "s/^STORE_RELEASE=.*/STORE_RELEASE=$release/" .env
fi
unreadable=$(find . -path ./secrets -prune -o -path ./.env -prune -o -path ./backups -prune -o \
    \( -type f ! -perm -004 -o -type d ! -perm -005 \) -print | head -n 1)
[ -z "$unreadable" ] || refuse "$unreadable is not readable for others, as which containers run." "chmod -R o+rX ."
compose up --detach --wait
./scripts/health-check.sh
