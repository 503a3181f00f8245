# Sourced by the scripts beside it: goes to the folder of the Compose files, and finds Compose.
# `compose ARGUMENTS` is the stack's own; PRODUCTION=yes adds the override for servers.
cd "$(dirname "$0")/.."

refuse() {
    echo "$1" >&2
    echo "  $2" >&2
    exit "${3:-2}"
}

command -v docker > /dev/null || refuse "docker is not installed." "Install Docker and Compose 2.24 or newer." 3
if docker compose version > /dev/null 2>&1; then
    set_compose="docker compose"
elif command -v docker-compose > /dev/null; then
    set_compose="docker-compose"
else
    refuse "this Docker has no Compose." "Install its plugin, 2.24 or newer; \`doit compose up\` brings one along." 3
fi
version=$($set_compose version --short | tr -d v)
case $version in
    1.* | 2.[0-9].* | 2.1[0-9].* | 2.2[0-3].*)
        refuse "Compose is $version, which does not know \`!reset\`: ports would stay open." "Install 2.24 or newer." 3 ;;
esac
if ! said=$(docker version --format '{{.Server.Version}}' 2>&1); then
    case $said in
        *"permission denied"*) refuse "you may not use Docker." "Join the group docker, which is as good as root, or run this as root." 3 ;;
        *) refuse "no Docker daemon answers: $(printf '%s' "$said" | tail -n 1)" "Start it, or name its socket in DOCKER_HOST." 3 ;;
    esac
fi

project=${COMPOSE_PROJECT_NAME:-residency-monitoring}
files="-f docker-compose.monitoring.yml"
[ "${PRODUCTION:-}" != yes ] || files="$files -f docker-compose.monitoring.prod.yml"

compose() {
    # shellcheck disable=SC2086  # words are meant to be split
    $set_compose $files "$@"
}

# The container of a service; empty where there is none.
container() {
    docker ps -aq --filter label=com.docker.compose.project="$project" \
        --filter label=com.docker.compose.service="$1" | head -n 1
}

# Where the volume of a service is mounted in its container.
data_of() {
    docker inspect --format \
        "{{range .Mounts}}{{if eq .Name \"${project}_$1\"}}{{.Destination}}{{end}}{{end}}" "$2"
}

# Start a container and wait until it is healthy, for a minute at most.
start() {
    docker start "$1" > /dev/null
    left=60
    while [ "$(docker inspect --format '{{if .State.Health}}{{.State.Health.Status}}{{else}}healthy{{end}}' "$1")" != healthy ]; do
        left=$((left - 1))
        [ "$left" -gt 0 ] || refuse "container $1 does not become healthy." "\`docker logs $1\` shows what it said." 1
        sleep 1
    done
}
