#!/usr/bin/env bash
# Runs every test, from nothing: installs what is missing, builds, tests.
#
#   packaging/test.sh                  everything
#   packaging/test.sh STAGE...         only these stages, of:
#     plain      the build that ships, with every suite
#     sanitize   the same sources with AddressSanitizer and UndefinedBehaviorSanitizer
#     lint       clang-tidy over the sources of the programs
#
# The last line counts the single test cases of all stages: "N passed, N failed, N skipped". The
# exit code is 0 when nothing failed. With CI=true a skipped test is a failure.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 2
export LC_ALL=C.UTF-8

stages=("$@")
[ $# -gt 0 ] || stages=(plain sanitize lint)
for stage in "${stages[@]}"; do
  case $stage in
    plain | sanitize | lint) ;;
    *) echo "test.sh: no such stage: $stage (there are plain, sanitize, lint)" >&2; exit 2 ;;
  esac
done

bash packaging/deps.sh build demo test || { echo "0 passed, 1 failed"; exit 1; }
results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT

say() { printf '\n== %s (%s)\n' "$1" "$(date +%T)"; }

# set_up DIR OPTION...: a build folder that is up to date with its options, without a second set-up.
set_up() {
  local dir=$1
  shift
  [ -f "$dir/build.ninja" ] || meson setup "$dir" "$@"
}

# step NAME COMMAND...: a step that is not a test itself counts as one case when it fails.
step() {
  local name=$1
  shift
  "$@" && return
  echo "$name" >>"$results/failed-steps"
  return 1
}

# run_suites DIR MULTIPLIER SUITE...
run_suites() {
  local dir=$1 multiplier=$2 suite arguments=()
  shift 2
  for suite in "$@"; do arguments+=(--suite "$suite"); done
  rm -rf "$dir/meson-logs/pytest" "$dir/meson-logs/testlog.json" "$dir/meson-logs/testlog.junit.xml"
  # Half of the time a test waits for something, so two for each processor. What they find is read
  # from their records; meson's exit code says the same.
  meson test -C "$dir" --no-rebuild --print-errorlogs --num-processes $(($(nproc) * 2)) \
    --timeout-multiplier "$multiplier" "${arguments[@]}"
  echo "$dir" >>"$results/tested"
}

stage_plain() {
  say "the build that ships: building"
  step "set up build" set_up build && step "build build" ninja -C build || return
  say "the demo"
  if step demo bash packaging/demo.sh </dev/null >"$results/demo.log" 2>&1; then
    echo demo >>"$results/passed-steps"
  else
    tail -n 50 "$results/demo.log"
  fi
  say "the build that ships: testing"
  run_suites build 1 tidy unit exhaustive sim os e2e bench
}

stage_sanitize() {
  say "sanitizers: building"
  # Lightly optimised: the sanitizers' own code makes more cost more than it gives (-O1 takes twice
  # as long to build as -Og). Their reports want lines, not variables.
  step "set up build-asan" set_up build-asan -Doptimization=g -Ddebug=false -Dc_args=-g1 \
    -Dcpp_args=-g1 -Db_sanitize=address,undefined -Db_lundef=false &&
    step "build build-asan" ninja -C build-asan || return
  say "sanitizers: testing"
  run_suites build-asan 4 unit sim os e2e
}

stage_lint() {
  say "clang-tidy"
  step "set up build" set_up build || return
  if step clang-tidy run_clang_tidy; then echo clang-tidy >>"$results/passed-steps"; fi
}

# The compile database is g++'s. clang 16 says that it lacks concepts support in full, and
# libstdc++ 12 then hides std::expected; and it need not know g++'s warnings.
run_clang_tidy() {
  local log=$results/clang-tidy.log
  if run-clang-tidy-16 -quiet -p build -j "$(nproc)" \
    -extra-arg=-D__cpp_concepts=202002L -extra-arg=-Wno-macro-redefined -extra-arg=-Wno-error \
    -extra-arg=-Wno-unknown-warning-option \
    "^$PWD/(common|ctl|daemon)/" >"$log" 2>&1; then
    return 0
  fi
  grep -E '(error|warning):|^\s+(\^|[0-9]* \|)' "$log" | sort -u | head -n 100
  return 1
}

for stage in "${stages[@]}"; do "stage_$stage"; done
/usr/bin/python3 tests/support/count_results.py "$results"
