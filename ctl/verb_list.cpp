// list: names and states for scripts. What is wrong with the daemon goes to stderr.

#include <sstream>

#include "ctl/json.hpp"
#include "ctl/printable.hpp"
#include "ctl/render.hpp"
#include "ctl/verbs.hpp"

namespace foster::ctl {

ExitCode run_list(Session& session, const Arguments& arguments) {
  const Step<OpenRegion> region = session.open_region(arguments);
  if (!region) return region.error();
  const Step<std::vector<uint32_t>> slots = session.select(region->reader, arguments.names);
  if (!slots) return slots.error();
  const Step<Snapshot> snapshot = session.look(region->reader, *slots);
  if (!snapshot) return snapshot.error();
  Output& out = session.out();
  if (arguments.json) {
    out.write(list_json(*snapshot));
  } else {
    for (const region::SlotView& unit : snapshot->units)
      out.line(printable(unit.name) + "\t" + std::string(state_word(unit.body.state)));
  }
  std::istringstream notices(render_notices(snapshot->daemon, snapshot->counts.last_change));
  for (std::string notice; std::getline(notices, notice);)
    session.complain(notice);
  const bool alive = snapshot->daemon.keeper != region::Liveness::dead;
  return alive ? ExitCode::done : ExitCode::no_daemon;
}

}  // namespace foster::ctl
