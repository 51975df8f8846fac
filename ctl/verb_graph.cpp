// graph and tree: what depends on what, with the states of the units, from the region alone.

#include "ctl/render_graph.hpp"
#include "ctl/render_tree.hpp"
#include "ctl/verbs.hpp"

namespace foster::ctl {
namespace {

struct Subject {
  UnitGraph graph;
  std::vector<uint32_t> units;  // that were named; all when none was
};

Step<Subject> look(Session& session, const Arguments& arguments) {
  const Step<OpenRegion> region = session.open_region(arguments);
  if (!region) return std::unexpected(region.error());
  Step<std::vector<uint32_t>> slots = session.select(region->reader, arguments.names);
  if (!slots) return std::unexpected(slots.error());
  Step<UnitGraph> graph = session.look_at_graph(region->reader);
  if (!graph) return std::unexpected(graph.error());
  return Subject{std::move(*graph), std::move(*slots)};
}

}  // namespace

ExitCode run_graph(Session& session, const Arguments& arguments) {
  const Step<Subject> subject = look(session, arguments);
  if (!subject) return subject.error();
  const std::vector<uint32_t> units = subject->graph.closure(subject->units);
  session.out().write(
      arguments.dot
          ? render_dot(subject->graph, units)
          : render_graph(subject->graph, units, render_options(session.environment(), arguments)));
  return ExitCode::done;
}

ExitCode run_tree(Session& session, const Arguments& arguments) {
  const Step<Subject> subject = look(session, arguments);
  if (!subject) return subject.error();
  const TreeOrder order = arguments.reverse ? TreeOrder::needed_by : TreeOrder::needs;
  const std::vector<uint32_t> roots =
      arguments.names.empty() ? tree_roots(subject->graph, order) : subject->units;
  session.out().write(
      render_tree(subject->graph, roots, order, render_options(session.environment(), arguments)));
  return ExitCode::done;
}

}  // namespace foster::ctl
