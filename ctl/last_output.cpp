#include "ctl/last_output.hpp"

#include "common/output_tail/output_tail.hpp"
#include "ctl/printable.hpp"
#include "ctl/requester.hpp"

namespace foster::ctl {
namespace {

constexpr size_t kLines = 5;

bool ended_badly(const foster_slot_body& body) {
  const bool has_ended = body.exit_kind != FOSTER_EXIT_NONE && body.exit_kind != FOSTER_EXIT_SPAWN;
  return body.state == FOSTER_STATE_BACKOFF || body.state == FOSTER_STATE_FAILED ||
         (has_ended && (body.flags & FOSTER_FLAG_EXIT_CLEAN) == 0);
}

}  // namespace

void add_last_output(const UnitGraph& graph, const OpenRegion& region, const Arguments& arguments,
                     const Environment& environment, Explanation& explanation) {
  const std::vector<std::string> sockets =
      control_socket_candidates(region.id, arguments.runtime_dir, environment);
  for (Link& link : explanation.chain) {
    if (link.repeated || !ended_badly(graph[link.unit].body)) continue;
    for (size_t i = 0; i < sockets.size() && link.output.empty(); ++i) {
      const std::string directory = sockets[i].substr(0, sockets[i].rfind('/'));
      link.output = last_output_lines(directory, graph[link.unit].name, kLines);
    }
    for (std::string& line : link.output)
      line = printable(line);
  }
}

}  // namespace foster::ctl
