// list: names and states for scripts. What is wrong with the daemon goes to stderr.

#include <sstream>

#include "ctl/json.hpp"
#include "ctl/printable.hpp"
#include "ctl/render.hpp"
#include "ctl/verbs.hpp"
#include "ctl/words.hpp"

namespace foster::ctl {

namespace {

/// The newest change among the units.
Step<Instant> show_lines(Session& session, const region::Reader& reader,
                         const std::vector<uint32_t>& slots) {
  UnitCounts counts;
  const auto show = [&](const UnitView& unit) {
    counts.count(unit.body);
    session.out().write(printable(unit.name));
    session.out().write("\t");
    session.out().line(state_word(unit.body.state));
  };
  const Step<void> visited = session.visit(reader, slots, show);
  if (!visited) return std::unexpected(visited.error());
  return counts.last_change;
}

Step<Instant> show_json(Session& session, const region::Reader& reader,
                        const std::vector<uint32_t>& slots) {
  const Step<Snapshot> snapshot = session.look(reader, slots);
  if (!snapshot) return std::unexpected(snapshot.error());
  session.out().write(list_json(*snapshot));
  return snapshot->counts.last_change;
}

}  // namespace

ExitCode run_list(Session& session, const Arguments& arguments) {
  const Step<OpenRegion> region = session.open_region(arguments);
  if (!region) return region.error();
  const region::Reader& reader = region->reader;
  const Step<std::vector<uint32_t>> slots = session.select(reader, arguments.names);
  if (!slots) return slots.error();
  const DaemonView daemon = session.look_at_daemon(reader);
  const Step<Instant> last_change =
      arguments.json ? show_json(session, reader, *slots) : show_lines(session, reader, *slots);
  if (!last_change) return last_change.error();
  std::istringstream notices(render_notices(daemon, *last_change));
  for (std::string notice; std::getline(notices, notice);)
    session.complain(notice);
  return daemon.keeper == region::Liveness::dead ? ExitCode::no_daemon : ExitCode::done;
}

}  // namespace foster::ctl
