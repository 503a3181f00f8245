#!/bin/sh
# Says of each service whether it is healthy, and whether metrics, rules and messages get through.
# Asked inside the containers, so that it works where no port is published. Ends with 1 if anything is
# wrong.
set -eu
# shellcheck source=compose.sh
. "$(dirname "$0")/compose.sh"
wrong=0

tell() {
    printf '%-9s %s\n' "$1" "$2"
    [ "$1" = ok ] || wrong=1
}

services=$(compose config --services | sort)
for service in $services; do
    found=$(container "$service")
    if [ -z "$found" ]; then
        tell missing "$service"
        continue
    fi
    state=$(docker inspect --format '{{.State.Status}} {{if .State.Health}}{{.State.Health.Status}}{{end}}' "$found")
    case $state in
        "running healthy" | "running ") tell ok "$service" ;;
        *) tell wrong "$service: $state" ;;
    esac
done

prometheus=$(container prometheus)
# What an expression of PromQL finds; an expression that finds something bad is used.
ask() {
    docker exec "$prometheus" promtool query instant http://127.0.0.1:9090 "$1" 2>&1
}
if [ -n "$prometheus" ] && [ "$(docker inspect --format '{{.State.Running}}' "$prometheus")" = true ]; then
    for claim in \
        "every target is scraped|up == 0" \
        "the scheduler can serve and the front answers|probe_success == 0" \
        "every rule can be evaluated|increase(prometheus_rule_evaluation_failures_total[1m]) > 0" \
        "Alertmanager is known to Prometheus|prometheus_notifications_alertmanagers_discovered < 1" \
        "alerts reach Alertmanager|increase(prometheus_notifications_dropped_total[1m]) > 0" \
        "messages leave Alertmanager|increase(alertmanager_notifications_failed_total[1m]) > 0" \
        "log lines reach the store|absent(promtail_sent_entries_total) or increase(promtail_dropped_entries_total[1m]) > 0"; do
        found=$(ask "${claim#*|}")
        if [ -z "$found" ]; then tell ok "${claim%%|*}"; else tell wrong "${claim%%|*}, but: $(printf '%s' "$found" | head -n 3 | tr '\n' ' ')"; fi
    done
fi
exit "$wrong"
