#include "common/unit/socket_checks.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "common/unit/listen_address.hpp"

namespace foster {
namespace {

/// Which kinds of sockets a key means something for.
struct Fits {
  std::string_view key;
  bool (*fits)(const ListenAddress&);
  std::string_view what;
};

bool internet(const ListenAddress& address) {
  return address.kind == SocketKind::tcp || address.kind == SocketKind::udp;
}
bool tcp(const ListenAddress& address) {
  return address.kind == SocketKind::tcp;
}
bool accepts(const ListenAddress& address) {
  return address.kind == SocketKind::tcp || address.kind == SocketKind::unix_stream ||
         address.kind == SocketKind::unix_seqpacket || address.kind == SocketKind::vsock;
}
bool buffers(const ListenAddress& address) {
  return address.kind != SocketKind::fifo;
}
bool v6(const ListenAddress& address) {
  return internet(address) && address.host.contains(':');
}

constexpr std::string_view kInternet = "tcp and udp";
constexpr std::string_view kFiles = "sockets and fifos that have a path";
constexpr std::string_view kAccepting =
    "sockets that are connected to: tcp, unix, unix-seqpacket "
    "and vsock";

constexpr std::array kFits{
    Fits{"backlog", accepts, kAccepting},
    Fits{"mode", has_file, kFiles},
    Fits{"user", has_file, kFiles},
    Fits{"group", has_file, kFiles},
    Fits{"reuse-port", internet, kInternet},
    Fits{"keep-alive", tcp, "tcp"},
    Fits{"no-delay", tcp, "tcp"},
    Fits{"transparent", internet, kInternet},
    Fits{"free-bind", internet, kInternet},
    Fits{"ipv6-only", v6, "tcp and udp at an IPv6 address"},
    Fits{"device", internet, kInternet},
    Fits{"receive-buffer", buffers, "sockets"},
    Fits{"accept", accepts, kAccepting},
};

class SocketChecks {
 public:
  SocketChecks(const UnitSpec& spec, const GivenKeys& given, std::span<const GivenSocket> sockets,
               Findings& findings)
      : spec_(spec), given_(given), sockets_(sockets), findings_(findings) {}

  void all() {
    for (size_t i = 0; i < sockets_.size(); ++i)
      addresses_.push_back(address(i));
    for (size_t i = 0; i < sockets_.size(); ++i) {
      keys_that_fit(i);
      connections(i);
      names(i);
      collisions(i);
    }
    accepting();
    starting();
    ready_descriptor();
    overlap();
  }

 private:
  [[nodiscard]] const SocketSpec& spec_of(size_t i) const { return sockets_of(spec_)[i]; }

  void at_key(const GivenKey& given, std::string message) {
    findings_.report(given.entry->place, std::move(message));
  }

  static bool said_yes(const GivenKey* given) {
    return given != nullptr && given->entry->value.kind == ValueKind::boolean &&
           given->entry->value.boolean;
  }

  /// Nothing where there is none, or a wrong one; the first is reported here.
  std::optional<ListenAddress> address(size_t i) {
    if (sockets_[i].keys.find(Section::socket, "listen") == nullptr) {
      findings_.report(sockets_[i].place,
                       "a [[socket]] needs `listen`, such as listen = \"tcp://127.0.0.1:8080\"");
      return std::nullopt;
    }
    if (spec_of(i).listen.empty()) return std::nullopt;
    return *parse_listen_address(spec_of(i).listen);
  }

  void keys_that_fit(size_t i) {
    if (!addresses_[i]) return;
    for (const Fits& row : kFits) {
      const GivenKey* given = sockets_[i].keys.find(Section::socket, row.key);
      if (given == nullptr || row.fits(*addresses_[i])) continue;
      at_key(*given, "`" + std::string(row.key) + "` is for " + std::string(row.what) +
                         ", and this is " + listen_text(*addresses_[i]));
    }
  }

  void connections(size_t i) {
    const bool accept = said_yes(sockets_[i].keys.find(Section::socket, "accept"));
    for (const std::string_view name : {"max-connections", "max-connections-per-source"}) {
      const GivenKey* given = sockets_[i].keys.find(Section::socket, name);
      if (given != nullptr && !accept && !sockets_[i].keys.refused(Section::socket, "accept"))
        at_key(*given, "`" + std::string(name) + "` is of no use without `accept`");
    }
  }

  void names(size_t i) {
    for (size_t j = 0; j < i; ++j) {
      if (spec_of(i).name != spec_of(j).name) continue;
      const GivenKey* given = sockets_[i].keys.find(Section::socket, "name");
      findings_.report(given != nullptr ? given->value_place() : sockets_[i].place,
                       "two sockets of the unit are called " + quoted_text(spec_of(i).name) +
                           (given != nullptr ? "" : ", the unit's name; give them a `name`"));
      return;
    }
  }

  void collisions(size_t i) {
    for (size_t j = 0; j < i; ++j) {
      if (!addresses_[i] || !addresses_[j]) continue;
      const SocketSpec& one = spec_of(i);
      const SocketSpec& other = spec_of(j);
      const bool shared = one.reuse_port && other.reuse_port;
      const bool apart = shared || one.device != other.device ||
                         !collide(*addresses_[i], one.ipv6_only, *addresses_[j], other.ipv6_only);
      if (apart) continue;
      findings_.report(one.place, listen_text(*addresses_[i]) + " is taken by the socket " +
                                      quoted_text(other.name) + " of this unit, which is " +
                                      listen_text(*addresses_[j]));
      return;
    }
  }

  /// What a unit cannot be besides one that has an instance for each connection.
  void accepting() {
    const auto accept = [](const SocketSpec& socket) { return socket.accept; };
    const auto sockets = sockets_of(spec_);
    if (std::ranges::none_of(sockets, accept)) return;
    for (size_t i = 0; i < sockets_.size(); ++i)
      if (!spec_of(i).accept)
        findings_.report(sockets_[i].place,
                         "foster accepts the connections of all sockets of a unit, or of none: "
                         "`accept` is missing here");
    refuse_with_accept(Section::service, "start");
    refuse_with_accept(Section::restart, "policy");
    refuse_with_accept(Section::restart, "overlap");
    refuse_with_accept(Section::top, "instances");
    for (const std::string_view trigger : {"every", "after-boot", "calendar"})
      refuse_with_accept(Section::timer, trigger);
  }

  void refuse_with_accept(Section section, std::string_view name) {
    const GivenKey* given = given_.find(section, name);
    if (given == nullptr) return;
    at_key(*given, "`" + std::string(name) +
                       "` has no meaning with `accept`: there is an instance for each connection, "
                       "which is not restarted");
  }

  void starting() {
    const GivenKey* start = given_.find(Section::service, "start");
    if (given_.refused(Section::service, "start")) return;
    const bool on_connection = starts_on_connection(spec_);
    if (on_connection && sockets_.empty())
      findings_.report(start->value_place(),
                       "\"first-connection\" needs a [[socket]] that something can come to");
    for (const std::string_view name : {"trigger-limit", "trigger-interval"}) {
      const GivenKey* given = given_.find(Section::service, name);
      if (given != nullptr && !on_connection)
        at_key(*given,
               "`" + std::string(name) + "` is of no use without start = \"first-connection\"");
    }
  }

  /// The sockets come first, from 3 on, so their numbers are known.
  void ready_descriptor() {
    constexpr int kFirst = 3;
    if (!spec_.ready || spec_.ready->descriptor < kFirst) return;
    const auto at = static_cast<size_t>(spec_.ready->descriptor - kFirst);
    if (at >= sockets_.size()) return;
    findings_.report(given_.find(Section::ready, "descriptor")->value_place(),
                     "descriptor " + std::to_string(spec_.ready->descriptor) + " is the socket " +
                         quoted_text(spec_of(at).name) + ": take one from " +
                         std::to_string(kFirst + sockets_.size()) + " on, or descriptor-variable");
  }

  void overlap() {
    const GivenKey* given = given_.find(Section::restart, "overlap");
    if (given == nullptr || !spec_.restart.overlap) return;
    const bool fits = spec_.type == ServiceType::simple || spec_.type == ServiceType::notify;
    if (fits && spec_.ready && asked_at_an_address(spec_.ready->kind)) {
      return at_key(*given,
                    "`overlap` needs a readiness that the old process cannot answer for the new "
                    "one: notify, descriptor, output, file or a command that looks at $MAINPID");
    }
    if (fits || given_.refused(Section::service, "type") || spec_.type == ServiceType::group)
      return;
    at_key(*given, std::string("`overlap` is for a simple or notify service, and this is ") +
                       (spec_.type == ServiceType::oneshot ? "a oneshot" : "a forking service"));
  }

  const UnitSpec& spec_;
  const GivenKeys& given_;
  std::span<const GivenSocket> sockets_;
  Findings& findings_;
  std::vector<std::optional<ListenAddress>> addresses_;  // by socket
};

}  // namespace

void check_sockets(const UnitSpec& spec, const GivenKeys& given,
                   std::span<const GivenSocket> sockets, Findings& findings) {
  SocketChecks(spec, given, sockets, findings).all();
}

}  // namespace foster
