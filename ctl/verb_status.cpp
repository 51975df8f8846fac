// status: what the units are doing, from the region alone, so that it is right about as much as can
// be known when the manager hangs or is dead, and says so.

#include "ctl/json.hpp"
#include "ctl/render.hpp"
#include "ctl/verbs.hpp"

namespace foster::ctl {
namespace {

/// A single unit, named and not matched, is shown with all that is known of it.
bool in_detail(const Arguments& arguments, const Snapshot& snapshot) {
  return arguments.names.size() == 1 && snapshot.units.size() == 1 &&
         snapshot.units.front().name == arguments.names.front();
}

}  // namespace

ExitCode run_status(Session& session, const Arguments& arguments) {
  const Step<OpenRegion> region = session.open_region(arguments);
  if (!region) return region.error();
  const Step<Snapshot> snapshot = session.look(region->reader, arguments.names);
  if (!snapshot) return snapshot.error();
  const RenderOptions options = render_options(session.environment(), arguments);
  Output& out = session.out();
  if (arguments.json) {
    out.write(status_json(*snapshot));
  } else {
    out.write(render_notices(*snapshot));
    if (arguments.names.empty()) out.write(render_summary(*snapshot));
    if (in_detail(arguments, *snapshot)) {
      out.write(render_unit(snapshot->units.front(), snapshot->clock, options));
    } else if (!snapshot->units.empty()) {
      out.write(render_units(*snapshot, options));
    }
  }
  return snapshot->keeper == region::Liveness::dead ? ExitCode::no_daemon : ExitCode::done;
}

}  // namespace foster::ctl
