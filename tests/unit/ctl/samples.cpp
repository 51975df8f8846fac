#include "tests/unit/ctl/samples.hpp"

#include <csignal>
#include <cstring>

namespace foster::ctl::test {

UnitView unit(std::string_view name, uint8_t state, int64_t age_seconds) {
  UnitView view;
  view.name = name;
  view.body.state = state;
  view.body.since_boot_ns = kNow.boot.ns - age_seconds * kSecond;
  view.body.since_real_ns = kNow.real_ns - age_seconds * kSecond;
  return view;
}

void set_detail(foster_slot_body& body, std::string_view text) {
  std::memcpy(body.detail, text.data(), text.size());
}

Snapshot snapshot(std::vector<UnitView> units) {
  Snapshot all;
  all.daemon.clock = kNow;
  foster_region_header& header = all.daemon.header;
  header.phase = FOSTER_PHASE_RUNNING;
  header.manager_pid = 101;
  header.keeper_pid = 100;
  header.daemon_started_boot_ns = kNow.boot.ns - 3 * 3600 * kSecond / 2;
  header.daemon_started_real_ns = kNow.real_ns - 3 * 3600 * kSecond / 2;
  header.manager_started_boot_ns = header.daemon_started_boot_ns;
  std::strcpy(header.instance, "user-1000");
  std::strcpy(header.version_text, "0.1.0");
  for (const UnitView& view : units)
    all.counts.count(view.body);
  all.units = std::move(units);
  return all;
}

Snapshot every_state() {
  UnitView backoff = unit("backoff", FOSTER_STATE_BACKOFF, 0);
  backoff.body.goal = FOSTER_GOAL_UP;
  backoff.body.cause = FOSTER_CAUSE_EXIT;
  backoff.body.attempt = 3;
  backoff.body.restarts = 2;
  backoff.body.exit_kind = FOSTER_EXIT_CORE;
  backoff.body.exit_value = SIGSEGV;
  backoff.body.deadline_boot_ns = kNow.boot.ns + 1'200'000'000;
  UnitView exited = unit("exited", FOSTER_STATE_EXITED, 65);
  exited.body.type = FOSTER_TYPE_ONESHOT;
  exited.body.attempt = 1;
  exited.body.exit_kind = FOSTER_EXIT_CODE;
  exited.body.flags = FOSTER_FLAG_EXIT_CLEAN;
  UnitView failed = unit("failed", FOSTER_STATE_FAILED, 200);
  failed.body.cause = FOSTER_CAUSE_EXIT;
  failed.body.attempt = 1;
  failed.body.exit_kind = FOSTER_EXIT_CODE;
  failed.body.exit_value = 3;
  UnitView running = unit("running", FOSTER_STATE_RUNNING, 7300);
  running.body.goal = FOSTER_GOAL_UP;
  running.body.cause = FOSTER_CAUSE_BOOT;
  running.body.attempt = 1;
  running.body.pid = 1234;
  UnitView starting = unit("starting", FOSTER_STATE_STARTING, 0);
  starting.body.attempt = 1;
  UnitView stopped = unit("stopped", FOSTER_STATE_STOPPED, 3);
  stopped.body.cause = FOSTER_CAUSE_REQUEST;
  stopped.body.attempt = 1;
  UnitView stopping = unit("stopping", FOSTER_STATE_STOPPING, 2);
  stopping.body.attempt = 1;
  stopping.body.pid = 77;
  stopping.body.deadline_boot_ns = kNow.boot.ns + 8 * kSecond;
  return snapshot({backoff, exited, failed, running, starting, stopped, stopping});
}

}  // namespace foster::ctl::test
