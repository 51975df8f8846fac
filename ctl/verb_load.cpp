// load and scale: the daemon goes on with another set of units. Its manager starts itself afresh
// for that, while the services run on; what we wait for is the event by which the new one tells
// that it is there and has laid out the region anew.

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>

#include <fmt/format.h>

#include "common/bus_api.hpp"
#include "ctl/daemon_watch.hpp"
#include "ctl/event_printer.hpp"
#include "ctl/printable.hpp"
#include "ctl/requester.hpp"
#include "ctl/verbs.hpp"

namespace foster::ctl {
namespace {

// A manager that does not come back within this time is in trouble, and the keeper with it.
constexpr Duration kHandoverLimit = std::chrono::seconds(30);

bool has_started(EventCursor& cursor, const region::Reader& reader) {
  const EventCursor::Batch batch = cursor.take(reader);
  return batch.broken || std::ranges::any_of(batch.events, [](const foster_event& event) {
           return event.kind == FOSTER_EVENT_MANAGER;
         });
}

ExitCode await_manager(Session& session, OpenRegion& region, EventCursor& cursor, Instant until) {
  DaemonWatch watch(region.reader, region.id);
  for (;;) {
    const Wake wake = watch.sleep(until);
    if (wake == Wake::timed_out)
      return session.fail(ExitCode::timed_out,
                          "timed out: the new units are accepted, and the manager that starts "
                          "with them is not there yet");
    if (wake != Wake::changed) return session.fail(ExitCode::no_daemon, gone_text(region.reader));
    if (has_started(cursor, region.reader)) return ExitCode::done;
  }
}

/// Whether there still is an instance of the template beyond the first `count`.
bool more_than(const region::Reader& reader, const std::string& of, uint32_t count) {
  const std::string prefix = of.ends_with('@') ? of : of + "@";
  for (uint32_t slot = 0; slot < reader.slot_count(); ++slot) {
    const std::string_view name = reader.slot_name(slot);
    if (!name.starts_with(prefix)) continue;
    uint32_t number = 0;
    const char* const end = name.data() + name.size();
    const auto read = std::from_chars(name.data() + prefix.size(), end, number);
    if (read.ec == std::errc() && read.ptr == end && number > count) return true;
  }
  return false;
}

/// Instances that are scaled away leave the region once they have stopped.
ExitCode await_fewer(Session& session, const Arguments& arguments, const std::string& of,
                     uint32_t count) {
  Step<OpenRegion> region = session.open_region(arguments);
  if (!region) return region.error();
  const std::optional<Instant> until =
      arguments.timeout ? std::optional(now_since_boot() + *arguments.timeout) : std::nullopt;
  DaemonWatch watch(region->reader, region->id);
  while (more_than(region->reader, of, count)) {
    const Wake wake = watch.sleep(until);
    if (wake == Wake::timed_out)
      return session.fail(ExitCode::timed_out,
                          "timed out: not all that are too many have stopped yet");
    if (wake != Wake::changed) return session.fail(ExitCode::no_daemon, gone_text(region->reader));
  }
  return ExitCode::done;
}

ExitCode run_handover(Session& session, const Arguments& arguments, const Request& asked,
                      const std::string& done) {
  const Instant until = now_since_boot() + arguments.timeout.value_or(kHandoverLimit);
  Step<OpenRegion> region = session.open_region(arguments);
  if (!region) return region.error();
  EventCursor cursor;
  cursor.skip(region->reader);
  const Step<std::vector<std::string>> answer = request(session, arguments, *region, asked);
  if (!answer) return answer.error();
  if (!arguments.no_wait) {
    const ExitCode code = await_manager(session, *region, cursor, until);
    if (code != ExitCode::done) return code;
  }
  if (!arguments.quiet) session.out().line(done);
  return ExitCode::done;
}

}  // namespace

ExitCode run_load(Session& session, const Arguments& arguments) {
  return run_handover(session, arguments, {.method = bus_api::kLoad},
                      arguments.no_wait ? "load requested" : "unit files loaded");
}

ExitCode run_scale(Session& session, const Arguments& arguments) {
  const std::string& name = arguments.names.front();
  const uint32_t count = arguments.instances;
  const ExitCode code = run_handover(
      session, arguments, {.method = bus_api::kScale, .names = {name}, .number = count},
      fmt::format("{}: {} instance{}", printable(name), count, count == 1 ? "" : "s"));
  if (code != ExitCode::done || arguments.no_wait) return code;
  return await_fewer(session, arguments, name, count);
}

}  // namespace foster::ctl
