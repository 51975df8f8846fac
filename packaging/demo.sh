#!/usr/bin/env bash
# Builds foster and shows it at work: nginx, redis, a oneshot that seeds redis, and a service that
# crashes now and then.
#
#   packaging/demo.sh          ends by itself and leaves nothing behind
#   packaging/demo.sh --stay   keeps everything running, to play with, until Ctrl-C
#
# As root or as an ordinary user. Everything it writes is in a folder of its own, on ports and
# sockets of its own; a running nginx, redis or foster is not touched.
set -euo pipefail
cd "$(dirname "$0")/.."
export LC_ALL=C.UTF-8

stay=no
case ${1:-} in
  --stay) stay=yes ;;
  "") ;;
  *) echo "usage: packaging/demo.sh [--stay]" >&2; exit 2 ;;
esac

bash packaging/deps.sh build demo
echo "== building"
[ -f build/build.ninja ] || meson setup build >/dev/null
ninja -C build programs | tail -n 1
build=$PWD/build

FOSTER_DEMO=$(mktemp -d /tmp/foster-demo.XXXXXX)
export FOSTER_DEMO FOSTER_INSTANCE=demo-$$
log=$FOSTER_DEMO/log
fosterd=

clean_up() {
  local code=$?
  trap - EXIT INT TERM
  if [ -n "$fosterd" ]; then
    kill -TERM "$fosterd" 2>/dev/null || true
    wait "$fosterd" 2>/dev/null || true
    if [ "$code" != 0 ] && [ "$code" -lt 128 ]; then
      echo "the demo failed; the end of its log:" >&2
      tail -n 40 "$log" >&2
    fi
  fi
  rm -rf "$FOSTER_DEMO"
  exit "$code"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

say() { printf '\n== %s\n' "$*"; }
fosterctl() { "$build/fosterctl" "$@"; }
show() {
  printf '$ %s\n' "$*"
  "$@"
}
pid_of() { fosterctl status "$1" | sed -n 's/^  pid  *\([0-9]*\)$/\1/p'; }

port=8080
while (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do port=$((port + 1)); done

mkdir "$FOSTER_DEMO/www"
echo "<h1>raised by foster</h1>" >"$FOSTER_DEMO/www/index.html"
sed -e "s|@DIR@|$FOSTER_DEMO|g" -e "s|@PORT@|$port|g" units/demo/nginx.conf.in \
  >"$FOSTER_DEMO/nginx.conf"
export DEMO_URL=http://127.0.0.1:$port/
# nginx's workers are another user's when it is started by root.
chmod 755 "$FOSTER_DEMO" "$FOSTER_DEMO/www"

say "starting: fosterd --units units/demo"
# In a session of its own: Ctrl-C is for this script, which then asks for the end, once.
setsid "$build/fosterd" --units units/demo >"$log" 2>&1 &
fosterd=$!
fosterctl wait nginx redis seed --for up --timeout 30s --quiet
show fosterctl status

say "what needs what: nginx came up when seed was done, and seed when redis was ready"
show fosterctl tree nginx
show fosterctl why nginx

say "a page from nginx, a value from redis"
show curl -sS --retry 10 --retry-connrefused --max-time 30 "$DEMO_URL"
show redis-cli -s "$FOSTER_DEMO/redis.sock" get greeting

say "kill -9 of the manager: the services run on, another manager takes over"
nginx_before=$(pid_of nginx)
manager=$(pgrep -P "$fosterd" -x foster-manager)
show kill -9 "$manager"
show fosterctl status
show fosterctl restart flaky
echo "nginx was process $nginx_before, and is process $(pid_of nginx)"

say "kill -9 of nginx: it is started again, without a worker of the first one"
coproc watch { exec "$build/fosterctl" watch nginx flaky; }
watch_pid=$watch_PID
shown_until() {
  local line
  while read -r line <&"${watch[0]}"; do
    echo "$line"
    [[ $line != *"$1"* ]] || break
  done
}
shown_until 'nginx: running' # the present states come first
show kill -9 "$nginx_before"
shown_until 'nginx: backoff'
shown_until 'nginx: running'
say "a service that crashes now and then"
shown_until 'flaky: backoff'
shown_until 'flaky: running'
kill "$watch_pid"
show fosterctl status
show curl -sS --retry 10 --retry-connrefused --max-time 30 "$DEMO_URL"

say "what happened, from the flight recorder"
show fosterctl events -n 12

if [ $stay = yes ]; then
  say "everything stays up until Ctrl-C; in another terminal:"
  echo "  export FOSTER_INSTANCE=$FOSTER_INSTANCE PATH=$build:\$PATH"
  echo "  fosterctl status; fosterctl watch; fosterctl restart nginx; fosterctl stop 'r*'"
  echo "  curl http://127.0.0.1:$port/; redis-cli -s $FOSTER_DEMO/redis.sock"
  echo "  the log of foster and of the services: $log"
  trap 'exit 0' INT
  wait "$fosterd"
  exit 0
fi

say "stopping everything"
show fosterctl shutdown
wait "$fosterd"
fosterd=
say "done; nothing is left"
