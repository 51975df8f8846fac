#include "ctl/session.hpp"

#include <algorithm>
#include <cerrno>
#include <dirent.h>
#include <memory>
#include <numeric>

#include "common/instance.hpp"
#include "ctl/printable.hpp"
#include "ctl/relations.hpp"
#include "ctl/selection.hpp"

namespace foster::ctl {
namespace {

/// The ids of the instances that have a region, for the message that a wrong name gets.
std::string known_instances() {
  constexpr std::string_view kPrefix = "foster.";
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(opendir("/dev/shm"), closedir);
  std::vector<std::string> ids;
  if (directory == nullptr) return {};
  while (const dirent* entry = readdir(directory.get())) {
    const std::string_view name = entry->d_name;
    // A '+' is in the names of objects under construction alone.
    if (name.starts_with(kPrefix) && !name.contains('+'))
      ids.push_back(printable(name.substr(kPrefix.size())));
  }
  std::ranges::sort(ids);
  std::string list;
  for (const std::string& id : ids)
    list += (list.empty() ? "" : ", ") + id;
  return list;
}

std::string no_daemon(const std::string& id) {
  const std::string known = known_instances();
  return "no daemon runs as instance " + id +
         (known.empty() ? "; fosterd starts one"
                        : "; there is: " + known + " (choose with --instance)");
}

}  // namespace

Clock present_clock() {
  return {now_since_boot(), wall_clock_ns()};
}

RenderOptions render_options(const Environment& environment, const Arguments& arguments) {
  return {environment.colour && !arguments.no_color, environment.columns};
}

void Session::complain(std::string_view message) {
  out_.flush();
  err_.line("fosterctl: " + printable(message));
  err_.flush();
}

void Session::complain_further(std::string_view lines) {
  out_.flush();
  err_.write(lines);
  err_.flush();
}

ExitCode Session::fail(ExitCode code, std::string_view message) {
  complain(message);
  return code;
}

std::expected<OpenRegion, NoRegion> Session::find_region(const Arguments& arguments) const {
  const std::vector<std::string> ids = instance_candidates(environment_.uid, arguments.instance);
  for (const std::string& id : ids) {
    Result<region::Reader> reader =
        region::Reader::open(region_object_name(id), instance_owner(id));
    if (reader) return OpenRegion{id, std::move(*reader)};
    const int error = reader.error().system_error;
    if (error == ENOENT) continue;
    const bool denied = error == EACCES || error == EPERM;
    return std::unexpected(
        NoRegion{denied ? ExitCode::not_permitted : ExitCode::no_daemon, reader.error().message});
  }
  return std::unexpected(NoRegion{ExitCode::no_daemon, no_daemon(ids.front())});
}

Step<OpenRegion> Session::open_region(const Arguments& arguments) {
  std::expected<OpenRegion, NoRegion> region = find_region(arguments);
  if (region) return std::move(*region);
  return std::unexpected(fail(region.error().code, region.error().message));
}

Step<std::vector<uint32_t>> Session::select(const region::Reader& reader,
                                            const std::vector<std::string>& names) {
  Selection selection = select_slots(reader, names);
  if (selection.missing.empty()) return std::move(selection.slots);
  for (const std::string& name : selection.missing)
    complain(no_such_unit(reader, name));
  return std::unexpected(ExitCode::no_such_unit);
}

DaemonView Session::look_at_daemon(const region::Reader& reader) {
  DaemonView daemon{.header = reader.header(), .clock = present_clock()};
  daemon.manager = reader.manager(daemon.clock.boot);
  daemon.keeper = reader.keeper(daemon.clock.boot);
  return daemon;
}

Step<void> Session::visit(const region::Reader& reader, const std::vector<uint32_t>& slots,
                          const std::function<void(const UnitView&)>& show) {
  Relations relations(reader);
  for (const uint32_t slot : slots) {
    Result<region::SlotView> unit = reader.slot(slot);
    if (!unit) return std::unexpected(fail(ExitCode::failed, unit.error().message));
    show(relations.complete(std::move(*unit)));
  }
  return {};
}

Step<UnitGraph> Session::look_at_graph(const region::Reader& reader) {
  std::vector<uint32_t> slots(reader.slot_count());
  std::iota(slots.begin(), slots.end(), 0u);
  std::vector<UnitView> units;
  units.reserve(slots.size());
  const auto keep = [&](const UnitView& unit) { units.push_back(unit); };
  if (const Step<void> visited = visit(reader, slots, keep); !visited)
    return std::unexpected(visited.error());
  Result<std::vector<foster_edge>> edges = reader.edges();
  if (!edges) return std::unexpected(fail(ExitCode::failed, edges.error().message));
  return UnitGraph(std::move(units), std::move(*edges));
}

Step<Snapshot> Session::look(const region::Reader& reader, const std::vector<uint32_t>& slots) {
  Snapshot snapshot{.daemon = look_at_daemon(reader)};
  snapshot.units.reserve(slots.size());
  const Step<void> visited = visit(reader, slots, [&](const UnitView& unit) {
    snapshot.counts.count(unit.body);
    snapshot.units.push_back(unit);
  });
  if (!visited) return std::unexpected(visited.error());
  // Units first, so that none of them is newer than the present that it is told with.
  snapshot.daemon.clock = present_clock();
  return snapshot;
}

}  // namespace foster::ctl
