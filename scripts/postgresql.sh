#!/bin/sh
# Runs a command beside a PostgreSQL of its own, which is gone afterwards: sh scripts/postgresql.sh COMMAND...
# The command finds it in DATABASE_URL. The system's PostgreSQL is used, or Debian's package where we may install it.
set -eu

server() {
  for place in /usr/lib/postgresql/*/bin /opt/homebrew/opt/postgresql*/bin /usr/local/opt/postgresql*/bin; do
    if [ -x "$place/initdb" ]; then echo "$place"; return; fi
  done
  if command -v initdb >/dev/null; then dirname "$(command -v initdb)"; fi
}

if [ -z "$(server)" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "installing PostgreSQL from Debian's packages" >&2
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends postgresql; } >/dev/null 2>&1 || true
fi
bin=$(server)
if [ -z "$bin" ]; then
  echo "no PostgreSQL here, and the library is tested on it too; install one, for instance with: sudo apt-get install postgresql" >&2
  exit 1
fi

place=$(mktemp -d /tmp/lenslab-postgresql.XXXXXX)
# The server refuses to run as root.
as=""
if [ "$(id -u)" = 0 ]; then
  chown postgres "$place"
  as="runuser -u postgres --"
fi
stop() {
  $as "$bin/pg_ctl" -D "$place/data" -m immediate stop >/dev/null 2>&1 || true
  rm -rf "$place"
}
trap stop EXIT
trap 'exit 130' INT TERM

cd "$place"
$as "$bin/initdb" -D "$place/data" -U lenslab -A trust -E UTF8 --no-locale >/dev/null
# Nothing is kept, so nothing has to reach the disk.
$as "$bin/pg_ctl" -D "$place/data" -l "$place/log" -w -o "-k $place -c listen_addresses='' -c fsync=off -c synchronous_commit=off" start >/dev/null ||
  { cat "$place/log" >&2; exit 1; }
$as "$bin/createdb" -h "$place" -U lenslab lenslab
cd "$OLDPWD"
DATABASE_URL="postgresql://lenslab@$(echo "$place" | sed 's|/|%2F|g')/lenslab" "$@"
