// wait: until all of the units are in a state at once, as one look at the region shows it. A state
// that a unit only passes through may not be seen.

#include <cerrno>
#include <cstring>
#include <poll.h>
#include <utility>

#include "ctl/daemon_watch.hpp"
#include "ctl/render.hpp"
#include "ctl/requester.hpp"
#include "ctl/verbs.hpp"

namespace foster::ctl {
namespace {

std::string missing_text(const Snapshot& snapshot, Condition condition) {
  std::string text;
  for (const UnitView& unit : snapshot.units) {
    if (holds(condition, unit.body)) continue;
    const std::string outcome = render_outcome(unit, snapshot.daemon.clock);
    text += (text.empty() ? "" : "; ") + outcome;
  }
  return text;
}

/// A daemon that starts has a region before it has units: none of them is known to be missing yet.
bool just_born(const region::Reader& reader) {
  return reader.slot_count() == 0 && reader.header().phase == FOSTER_PHASE_STARTING;
}

bool runs(const std::expected<OpenRegion, NoRegion>& region) {
  return region && region->reader.keeper(now_since_boot()) != region::Liveness::dead;
}

Step<OpenRegion> await_daemon(Session& session, const Arguments& arguments,
                              std::optional<Instant> until) {
  std::expected<OpenRegion, NoRegion> region = session.find_region(arguments);
  if (runs(region)) return std::move(*region);
  const UniqueFd names = watch_names();
  const int error = errno;
  bool told = arguments.quiet;
  for (;;) {
    // Once more after the watch was set, and after each name that appeared.
    region = session.find_region(arguments);
    if (runs(region)) return std::move(*region);
    const NoRegion reason =
        region ? NoRegion{ExitCode::no_daemon, gone_text(region->reader)} : region.error();
    if (reason.code == ExitCode::not_permitted)
      return std::unexpected(session.fail(reason.code, reason.message));
    if (!names)
      return std::unexpected(session.fail(
          reason.code, reason.message + "; cannot wait for one: " + strerrordesc_np(error)));
    if (!std::exchange(told, true)) session.complain(reason.message + "; waiting for one");
    pollfd waited{names.get(), POLLIN, 0};
    if (poll(&waited, 1, poll_timeout(until)) == 0)
      return std::unexpected(session.fail(ExitCode::timed_out, "timed out: " + reason.message));
    drain(names.get());
  }
}

ExitCode tell(Session& session, const Arguments& arguments, const Snapshot& snapshot) {
  if (arguments.quiet) return ExitCode::done;
  for (const UnitView& unit : snapshot.units)
    session.out().line(render_outcome(unit, snapshot.daemon.clock));
  return ExitCode::done;
}

ExitCode given_up(Session& session, Wake wake, const region::Reader& reader,
                  const std::string& missing) {
  if (wake == Wake::timed_out) return session.fail(ExitCode::timed_out, "timed out: " + missing);
  return session.fail(ExitCode::no_daemon,
                      (wake == Wake::gone ? gone_text(reader) : "the daemon has ended") +
                          " while waiting: " + missing);
}

}  // namespace

ExitCode run_wait(Session& session, const Arguments& arguments) {
  std::optional<Instant> until;
  if (arguments.timeout) until = now_since_boot() + *arguments.timeout;
  Step<OpenRegion> region = await_daemon(session, arguments, until);
  if (!region) return region.error();
  std::optional<DaemonWatch> watch;
  for (;;) {
    std::string missing = "the daemon is only starting";
    if (!just_born(region->reader)) {
      const Step<std::vector<uint32_t>> slots = session.select(region->reader, arguments.names);
      if (!slots) return slots.error();
      const Step<Snapshot> snapshot = session.look(region->reader, *slots);
      if (!snapshot) return snapshot.error();
      missing = missing_text(*snapshot, arguments.condition);
      if (missing.empty()) return tell(session, arguments, *snapshot);
    }
    if (!watch) watch.emplace(region->reader, region->id);
    const Wake wake = watch->sleep(until);
    if (wake != Wake::changed) return given_up(session, wake, region->reader, missing);
  }
}

}  // namespace foster::ctl
