// status: what the units are doing, from the region alone, so that it is right about as much as can
// be known when the manager hangs or is dead, and says so.

#include "ctl/json.hpp"
#include "ctl/render.hpp"
#include "ctl/verbs.hpp"

namespace foster::ctl {
namespace {

struct Subject {
  const region::Reader& reader;
  DaemonView daemon;
  std::vector<uint32_t> slots;
};

/// A single unit, named and not matched, is shown with all that is known of it.
bool in_detail(const Arguments& arguments, const Subject& subject) {
  return arguments.names.size() == 1 && subject.slots.size() == 1 &&
         subject.reader.slot_name(subject.slots.front()) == arguments.names.front();
}

Step<void> show_json(Session& session, const Subject& subject) {
  const Step<Snapshot> snapshot = session.look(subject.reader, subject.slots);
  if (!snapshot) return std::unexpected(snapshot.error());
  session.out().write(status_json(*snapshot));
  return {};
}

Step<void> show_one(Session& session, const Subject& subject, const RenderOptions& options) {
  return session.visit(subject.reader, subject.slots, [&](const UnitView& unit) {
    session.out().write(render_notices(subject.daemon, Instant{unit.body.since_boot_ns}));
    session.out().write(render_unit(unit, subject.daemon.clock, options));
  });
}

Step<void> show_table(Session& session, const Subject& subject, const RenderOptions& options,
                      bool with_summary) {
  UnitTable table;
  UnitCounts counts;
  const auto add = [&](const UnitView& unit) {
    counts.count(unit.body);
    table.add(unit, subject.daemon.clock);
  };
  if (const Step<void> visited = session.visit(subject.reader, subject.slots, add); !visited)
    return visited;
  Output& out = session.out();
  out.write(render_notices(subject.daemon, counts.last_change));
  if (with_summary) out.write(render_summary(subject.daemon, counts));
  if (counts.all > 0) out.write(table.render(options));
  return {};
}

}  // namespace

ExitCode run_status(Session& session, const Arguments& arguments) {
  const Step<OpenRegion> region = session.open_region(arguments);
  if (!region) return region.error();
  const region::Reader& reader = region->reader;
  const Step<std::vector<uint32_t>> slots = session.select(reader, arguments.names);
  if (!slots) return slots.error();
  const Subject subject{reader, session.look_at_daemon(reader), *slots};
  const RenderOptions options = render_options(session.environment(), arguments);
  const Step<void> shown = arguments.json ? show_json(session, subject)
                           : in_detail(arguments, subject)
                               ? show_one(session, subject, options)
                               : show_table(session, subject, options, arguments.names.empty());
  if (!shown) return shown.error();
  return subject.daemon.keeper == region::Liveness::dead ? ExitCode::no_daemon : ExitCode::done;
}

}  // namespace foster::ctl
