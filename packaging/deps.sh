#!/usr/bin/env bash
# Installs the Debian packages that the project needs and that are missing.
#
#   packaging/deps.sh build [demo] [test]
#
# As root, or through sudo. Says nothing and changes nothing when everything is there. Services that
# come with a package (nginx, PostgreSQL, ...) are neither started nor enabled; those that were
# installed before are left alone.
set -euo pipefail
export LC_ALL=C.UTF-8

build_packages=(
  g++ libc6-dev meson ninja-build pkg-config
  libcli11-dev libcurl4-openssl-dev libfmt-dev libgtest-dev libspdlog-dev libsystemd-dev
  libtomlplusplus-dev nlohmann-json3-dev
)
demo_packages=(curl nginx-light procps redis-server redis-tools)
test_packages=(
  clang-format-16 clang-tidy-16 dbus debootstrap nginx-light postgresql python3 python3-pytest
  runit s6 supervisor systemd systemd-container util-linux wrk
)
# What the packages above would start at once, and again at each boot.
services=(nginx postgresql redis-server supervisor)

installed() {
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# Keeps the services of new packages from being started while they are installed, in the way Debian
# provides for it; whoever has a policy of their own keeps it.
policy=/usr/sbin/policy-rc.d
forbid_starts() {
  [ ! -e "$policy" ] || return 0
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
  trap 'rm -f "$policy"' EXIT
}

install_as_root() {
  local log service new_services=()
  for service in "${services[@]}"; do
    [ -e "/lib/systemd/system/$service.service" ] || new_services+=("$service")
  done
  log=$(mktemp)
  forbid_starts
  export DEBIAN_FRONTEND=noninteractive
  echo "installing: $*"
  if ! { apt-get update -q && apt-get install -y -q --no-install-recommends \
    -o DPkg::Lock::Timeout=300 "$@"; } >"$log" 2>&1 </dev/null; then
    tail -n 30 "$log" >&2
    echo "deps.sh: cannot install the packages: the last lines of apt-get stand above" >&2
    rm -f "$log"
    return 1
  fi
  rm -f "$log"
  for service in "${new_services[@]}"; do
    if [ -e "/lib/systemd/system/$service.service" ] && command -v systemctl >/dev/null; then
      systemctl --quiet disable "$service.service" >/dev/null 2>&1 || true
    fi
  done
}

if [ "${1:-}" = --as-root ]; then
  shift
  install_as_root "$@"
  exit
fi

wanted=()
for set in "$@"; do
  case $set in
    build) wanted+=("${build_packages[@]}") ;;
    demo) wanted+=("${demo_packages[@]}") ;;
    test) wanted+=("${test_packages[@]}") ;;
    *) echo "deps.sh: no such set of packages: $set (there are build, demo, test)" >&2; exit 2 ;;
  esac
done

if ! command -v apt-get >/dev/null; then
  echo "deps.sh: this is not Debian, so nothing is installed. These Debian packages are needed:" >&2
  echo "  ${wanted[*]}" >&2
  exit 0
fi

missing=()
for package in "${wanted[@]}"; do
  installed "$package" || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

if [ "$(id -u)" = 0 ]; then
  install_as_root "${missing[@]}"
elif command -v sudo >/dev/null; then
  sudo bash "$0" --as-root "${missing[@]}"
else
  echo "deps.sh: packages are missing, and there is neither root nor sudo to install them." >&2
  echo "Ask an administrator for: apt-get install --no-install-recommends ${missing[*]}" >&2
  exit 1
fi
