#!/bin/sh
# Writes .env and the secrets that are not there yet; what is there stays. Secrets are files that
# containers see under /run/secrets; the folder is open to its owner alone, so that nobody else on
# this machine gets to them. To change one, remove its file, run this again and recreate the container.
#
# Ends with 2 for a .env that cannot be used, 3 where something is missing on this machine.
set -eu
cd "$(dirname "$0")/.."
umask 077

refuse() {
    echo "$1" >&2
    echo "  $2" >&2
    exit "${3:-2}"
}

command -v openssl > /dev/null || refuse "openssl is not installed." "Install it: it makes the certificate." 3

if [ ! -f .env ]; then
    cp .env.example .env
    echo ".env is written, with the defaults of .env.example."
fi
chmod 600 .env

# The value of a variable in .env, as Compose reads it: the last line counts, without the quotes around
# it and without what an editor on Windows puts at the end of a line.
value() {
    line=$(grep -E "^[[:space:]]*(export[[:space:]]+)?$1[[:space:]]*=" .env | tail -n 1 | tr -d '\r') || true
    found=${line#*=}
    found=$(printf '%s' "$found" | sed 's/^[[:space:]]*//; s/[[:space:]]*$//')
    case $found in
        \"*\" | \'*\') [ "${#found}" -gt 1 ] && found=${found#?} && found=${found%?} ;;
        \"* | \'* | *\" | *\') at "$1" "begins or ends with a quote that has no other." "Write both quotes, or none." ;;
        *" #"*) found=$(printf '%s' "${found%%" #"*}" | sed 's/[[:space:]]*$//') ;;
    esac
    printf '%s' "$found"
}

# Refuse a variable of .env: what is wrong with it, what to do.
at() {
    refuse ".env, line $(grep -nE "^[[:space:]]*(export[[:space:]]+)?$1[[:space:]]*=" .env | tail -n 1 | cut -d: -f1): \`$1\` $2" "$3"
}

random() {
    openssl rand -hex 16
}

# Write a secret. Others than its owner need to read it in a container; here the folder keeps them out.
put() {
    printf '%s' "$2" > "secrets/$1.new"
    chmod 444 "secrets/$1.new"
    mv -f "secrets/$1.new" "secrets/$1"
}

keep() {
    [ -s "secrets/$1" ] || put "$1" "$2"
}

password=$(value GRAFANA_ADMIN_PASSWORD)
case $(printf '%s' "$password" | tr '[:upper:]' '[:lower:]') in
    "") ;;
    admin* | *password* | *passwort* | change*me* | grafana* | *secret* | 123456* | default* | example*)
        at GRAFANA_ADMIN_PASSWORD "is a default password." "Leave it empty, and one is made." ;;
    ????????????*) ;;
    *) at GRAFANA_ADMIN_PASSWORD "has ${#password} characters." "Write twelve or more, or leave it empty." ;;
esac
slack=$(value SLACK_API_URL)
case $slack in
    "" | https://*) ;;
    *) at SLACK_API_URL "does not begin with https://." "Copy the URL of Slack's incoming webhook." ;;
esac
pagerduty=$(value PAGERDUTY_ROUTING_KEY)
if [ -n "$pagerduty" ] && ! printf '%s' "$pagerduty" | grep -qE '^[A-Za-z0-9]{32}$'; then
    at PAGERDUTY_ROUTING_KEY "is not 32 letters and digits." "Copy the integration key of PagerDuty's Events API v2."
fi

mkdir -p secrets
chmod 700 secrets

for name in postgres_password scheduler_database_password exporter_database_password \
    scheduler_password shipper_token grafana_secret_key; do
    keep "$name" "$(random)"
done
if [ -n "$password" ]; then put grafana_admin_password "$password"; else keep grafana_admin_password "$(random)"; fi
if [ -n "$slack" ]; then
    put slack_api_url "$slack"
else
    keep slack_api_url "http://inbox:8025/services/T00000000/B00000000/$(random | cut -c1-24)"
fi
if [ -n "$pagerduty" ]; then
    put pagerduty_routing_key "$pagerduty"
else
    keep pagerduty_routing_key "$(random)"
fi

if [ ! -s secrets/proxy_users ]; then
    users=""
    for user in viewer responder operator; do
        keep "proxy_password_$user" "$(random)"
        hash=$(openssl passwd -6 -stdin < "secrets/proxy_password_$user")
        users="$users$user:$hash
"
    done
    put proxy_users "$users"
fi
if [ ! -s secrets/tls_certificate ] || [ ! -s secrets/tls_key ]; then
    host=$(hostname)
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 397 \
        -subj "/CN=$host" -addext "subjectAltName=DNS:$host,DNS:localhost,DNS:proxy,IP:127.0.0.1" \
        -keyout secrets/tls_key.new -out secrets/tls_certificate.new 2> /dev/null
    chmod 444 secrets/tls_key.new secrets/tls_certificate.new
    mv -f secrets/tls_key.new secrets/tls_key
    mv -f secrets/tls_certificate.new secrets/tls_certificate
fi
