// why: the chain of causes from each unit down to its root, from the region alone.

#include "ctl/explanation.hpp"
#include "ctl/json.hpp"
#include "ctl/last_output.hpp"
#include "ctl/render.hpp"
#include "ctl/verbs.hpp"

namespace foster::ctl {

ExitCode run_why(Session& session, const Arguments& arguments) {
  const Step<OpenRegion> region = session.open_region(arguments);
  if (!region) return region.error();
  const region::Reader& reader = region->reader;
  const Step<std::vector<uint32_t>> slots = session.select(reader, arguments.names);
  if (!slots) return slots.error();
  const Step<UnitGraph> graph = session.look_at_graph(reader);
  if (!graph) return graph.error();
  const DaemonView daemon = session.look_at_daemon(reader);
  std::vector<Explanation> explanations;
  Instant last_change;
  for (const uint32_t slot : *slots) {
    explanations.push_back(explain(*graph, slot, daemon));
    add_last_output(*graph, *region, arguments, session.environment(), explanations.back());
    last_change = std::max(last_change, Instant{(*graph)[slot].body.since_boot_ns});
  }
  Output& out = session.out();
  if (arguments.json) {
    out.write(explanation_json(*graph, explanations));
  } else {
    out.write(render_notices(daemon, last_change));
    for (size_t i = 0; i < explanations.size(); ++i)
      out.write((i == 0 ? "" : "\n") + render_explanation(explanations[i]));
  }
  return daemon.keeper == region::Liveness::dead ? ExitCode::no_daemon : ExitCode::done;
}

}  // namespace foster::ctl
