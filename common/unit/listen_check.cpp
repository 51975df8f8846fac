#include "common/unit/listen_check.hpp"

#include <algorithm>
#include <string>
#include <tuple>

#include "common/unit/listen_address.hpp"

namespace foster {
namespace {

// More are not reported at once: nobody reads them.
constexpr size_t kReportsMax = 100;

struct Listener {
  UnitIndex unit;
  const SocketSpec* socket;
  ListenAddress address;

  /// Sockets that differ in it have nothing to do with each other.
  [[nodiscard]] auto place() const { return std::tie(address.path, address.port); }
};

std::vector<Listener> listeners_of(const std::vector<UnitSpec>& units) {
  std::vector<Listener> listeners;
  for (uint32_t i = 0; i < units.size(); ++i)
    for (const SocketSpec& socket : sockets_of(units[i]))
      if (Result<ListenAddress> address = parse_listen_address(socket.listen))
        listeners.push_back({{i}, &socket, std::move(*address)});
  std::ranges::stable_sort(
      listeners, [](const Listener& a, const Listener& b) { return a.place() < b.place(); });
  return listeners;
}

bool conflict(const Graph& graph, UnitIndex one, UnitIndex other) {
  return std::ranges::any_of(graph.needs(one), [&](const Edge& edge) {
    return edge.to == other && edge.kind == EdgeKind::conflicts;
  });
}

bool shared(const SocketSpec& one, const SocketSpec& other) {
  const bool devices = !one.device.empty() && !other.device.empty() && one.device != other.device;
  return devices || (one.reuse_port && other.reuse_port);
}

Diagnostic taken(const UnitSpec& unit, const Listener& here, const UnitSpec& by,
                 const Listener& there) {
  Diagnostic diagnostic;
  const Place& place = here.socket->place;
  diagnostic.file = place.file == 0 ? unit.file : unit.drop_ins[place.file - 1];
  diagnostic.line = place.line;
  diagnostic.column = place.column;
  diagnostic.length = place.length;
  const std::string text = listen_text(here.address);
  const std::string other = listen_text(there.address);
  diagnostic.message =
      quoted_text(by.name) + " listens at " +
      (text == other ? text + ", too" : other + ", which is where " + text + " is") + ": ";
  const bool file = !here.address.path.empty();
  diagnostic.message += file ? "" : "reuse-port = true in both lets them share it, and ";
  diagnostic.message += "`conflicts` says that only one of them is up at a time";
  return diagnostic;
}

}  // namespace

std::vector<Diagnostic> check_listening(const std::vector<UnitSpec>& units, const Graph& graph) {
  std::vector<Diagnostic> diagnostics;
  const std::vector<Listener> listeners = listeners_of(units);
  for (auto group = listeners.begin(); group != listeners.end();) {
    const auto end = std::find_if(group, listeners.end(), [&](const Listener& listener) {
      return listener.place() != group->place();
    });
    for (auto here = group; here != end && diagnostics.size() < kReportsMax; ++here) {
      const auto there = std::find_if(group, here, [&](const Listener& other) {
        return other.unit != here->unit && !shared(*here->socket, *other.socket) &&
               collide(here->address, here->socket->ipv6_only, other.address,
                       other.socket->ipv6_only) &&
               !conflict(graph, here->unit, other.unit);
      });
      if (there != here)
        diagnostics.push_back(
            taken(units[here->unit.value], *here, units[there->unit.value], *there));
    }
    group = end;
  }
  return diagnostics;
}

}  // namespace foster
