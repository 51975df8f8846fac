#include "common/unit/listen_address.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "common/nearest_word.hpp"
#include "common/unit/diagnostic.hpp"
#include "common/unit/ip_text.hpp"

namespace foster {
namespace {

using Read = std::expected<ListenAddress, ListenMistake>;

constexpr std::array<std::string_view, 7> kKinds{
    "tcp", "udp", "unix", "unix-dgram", "unix-seqpacket", "fifo", "vsock"};  // as SocketKind
constexpr std::string_view kKindsInWords =
    "tcp, udp, unix, unix-dgram, unix-seqpacket, fifo or vsock";

constexpr size_t kUnixPathMax = 107;  // sockaddr_un has room for it and a NUL
constexpr size_t kFilePathMax = 4095;
constexpr size_t kInterfaceMax = 15;
constexpr uint32_t kPortMax = 65535;
constexpr uint32_t kVsockPortMax = UINT32_MAX - 1;  // the highest stands for any

/// A walk through one text, which knows where in it a part stands.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  Read read() {
    const size_t nul = text_.find('\0');
    if (nul != std::string_view::npos)
      return wrong(text_.substr(nul, 1), "a NUL character cannot be in it");
    const size_t end = text_.find("://");
    if (end == std::string_view::npos) return no_kind();
    const std::string_view kind = text_.substr(0, end);
    const auto found = std::ranges::find(kKinds, kind);
    if (found == kKinds.end()) return unknown_kind(kind);
    address_.kind = SocketKind{static_cast<uint8_t>(found - kKinds.begin())};
    return of_kind(text_.substr(end + 3));
  }

 private:
  Read of_kind(std::string_view rest) {
    switch (address_.kind) {
      case SocketKind::tcp:
      case SocketKind::udp:
        return internet(rest);
      case SocketKind::unix_stream:
      case SocketKind::unix_dgram:
      case SocketKind::unix_seqpacket:
      case SocketKind::fifo:
        return file(rest);
      case SocketKind::vsock:
        return vsock(rest);
    }
    return wrong(text_, "unknown");
  }

  /// `part` is one of text_.
  Read wrong(std::string_view part, std::string message) const {
    const auto offset = static_cast<size_t>(part.data() - text_.data());
    return std::unexpected(
        ListenMistake{offset, std::max<size_t>(1, part.size()), std::move(message)});
  }

  Read no_kind() const {
    std::string meant;
    const std::string_view digits = "0123456789";
    if (text_.starts_with('/') || text_.starts_with('@')) {
      meant = "unix://" + std::string(text_);
    } else if (const size_t colon = text_.find(':'); colon != std::string_view::npos &&
                                                     text_.substr(colon).starts_with(":/") &&
                                                     known(text_.substr(0, colon))) {
      meant = std::string(text_.substr(0, colon)) + "://" + std::string(text_.substr(colon + 1));
    } else if (!text_.empty() && text_.find_first_not_of(digits) == std::string_view::npos) {
      meant = "tcp://*:" + std::string(text_);
    } else if (read_listen_address("tcp://" + std::string(text_))) {
      meant = "tcp://" + std::string(text_);
    }
    return wrong(text_, meant.empty() ? "it begins with what kind of socket it is, such as tcp:// "
                                        "or unix://"
                                      : "write " + quoted_text(meant));
  }

  static bool known(std::string_view kind) {
    return std::ranges::find(kKinds, kind) != kKinds.end();
  }

  Read unknown_kind(std::string_view kind) const {
    const std::string_view near = nearest_word(kind, kKinds);
    return wrong(kind, backticked_text(kind) + " is no kind of socket; " +
                           (near.empty() ? "known are " + std::string(kKindsInWords)
                                         : "did you mean " + backticked_text(near) + "?"));
  }

  Read internet(std::string_view rest) {
    const size_t colon = rest.rfind(':');
    const size_t bracket = rest.rfind(']');
    const bool has_port =
        colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket);
    if (!has_port) return wrong(rest.empty() ? text_ : rest, "a port is missing: " + example());
    const std::string_view host = rest.substr(0, colon);
    const std::string_view port = rest.substr(colon + 1);
    const std::optional<uint32_t> number = number_of(port, kPortMax);
    if (!number)
      return wrong(port.empty() ? rest.substr(colon) : port,
                   port.empty() ? "a port is missing: " + example()
                                : backticked_text(port) + " is no port: a number from 0 to 65535");
    address_.port = *number;
    if (host.starts_with('[') && host.ends_with(']'))
      return bracketed(host.substr(1, host.size() - 2));
    return plain_host(host);
  }

  std::string example() const {
    return "write \"" + std::string(socket_kind_text(address_.kind)) + "://*:8080\"";
  }

  Read plain_host(std::string_view host) {
    if (host.empty() || host == "*") {
      address_.host = "*";
    } else if (host == "localhost") {
      address_.host = "127.0.0.1";
    } else if (parse_ipv4(host)) {
      address_.host = host;
    } else if (host.contains(':')) {
      const std::string_view bare = without_brackets(host);
      return wrong(host, "an IPv6 address stands in brackets: [" + shortened_text(bare) + "]");
    } else {
      return wrong(host, backticked_text(host) +
                             " is no address of numbers such as 127.0.0.1, no [::1] and no *; "
                             "names are not looked up");
    }
    return address_;
  }

  /// What stands behind an opening bracket without its closing one, or before the other way round.
  static std::string_view without_brackets(std::string_view host) {
    if (host.starts_with('[')) host.remove_prefix(1);
    if (host.ends_with(']')) host.remove_suffix(1);
    return host;
  }

  Read bracketed(std::string_view host) {
    const size_t percent = host.find('%');
    const std::string_view number = host.substr(0, percent);
    const std::optional<Ipv6Bytes> address = parse_ipv6(number);
    if (!address)
      return wrong(number.empty() ? text_ : number,
                   backticked_text(number) + " is no IPv6 address");
    address_.host = ipv6_text(*address);
    const bool link_local = (*address)[0] == 0xfe && ((*address)[1] & 0xc0) == 0x80;
    if (percent == std::string_view::npos) {
      if (!link_local) return address_;
      return wrong(number, "an address of one link needs its interface: [" + address_.host +
                               "%eth0], and %% for % in a unit file");
    }
    const std::string_view interface = host.substr(percent + 1);
    const bool fits = !interface.empty() && interface.size() <= kInterfaceMax &&
                      interface.find_first_of(" /:%") == std::string_view::npos;
    if (!fits)
      return wrong(interface.empty() ? host.substr(percent) : interface,
                   backticked_text(interface) + " cannot be the name of an interface");
    address_.interface = interface;
    return address_;
  }

  Read file(std::string_view path) {
    const bool socket = address_.kind != SocketKind::fifo;
    const std::string kind(socket_kind_text(address_.kind));
    if (socket && path.starts_with('@')) {
      if (path.size() == 1) return wrong(path, "a name is missing behind the @");
    } else if (!path.starts_with('/')) {
      return wrong(path.empty() ? text_ : path,
                   path.empty() ? "a path is missing: write \"" + kind + ":///run/x\""
                                : "a path begins with a /: write " +
                                      quoted_text(kind + ":///" + std::string(path)));
    } else if (path.ends_with('/')) {
      return wrong(path, "a path that ends in / is that of a directory");
    }
    const size_t most = socket ? kUnixPathMax : kFilePathMax;
    // The @ stands for the NUL that an abstract name begins with.
    if (path.size() > most + (path.starts_with('@') ? 1 : 0))
      return wrong(path, "it has " + std::to_string(path.size()) + " bytes, and " +
                             (path.starts_with('@') ? "an abstract name" : "a path") +
                             " has at most " + std::to_string(most));
    address_.path = path;
    return address_;
  }

  Read vsock(std::string_view rest) {
    const size_t colon = rest.find(':');
    const std::string_view host = rest.substr(0, colon);
    if (host.empty()) {
      address_.host = "any";
    } else if (host == "any" || number_of(host, UINT32_MAX - 1)) {
      address_.host = host;
    } else {
      return wrong(host, backticked_text(host) + " is no number of a machine, and not \"any\"");
    }
    const std::string_view port =
        colon == std::string_view::npos ? std::string_view() : rest.substr(colon + 1);
    const std::optional<uint32_t> number = number_of(port, kVsockPortMax);
    if (!number)
      return wrong(port.empty() ? text_ : port,
                   port.empty() ? "a port is missing: write \"vsock://any:1234\""
                                : backticked_text(port) + " is no port");
    address_.port = *number;
    return address_;
  }

  static std::optional<uint32_t> number_of(std::string_view text, uint32_t most) {
    uint32_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size() || number > most)
      return std::nullopt;
    return number;
  }

  std::string_view text_;
  ListenAddress address_;
};

bool internet(SocketKind kind) {
  return kind == SocketKind::tcp || kind == SocketKind::udp;
}

/// What of the addresses of this machine a host stands for.
struct Reach {
  bool v4 = false;  // any v4 address
  bool v6 = false;
  bool whole() const { return v4 || v6; }
};

Reach reach_of(const ListenAddress& address, bool ipv6_only) {
  if (address.host == "*") return {true, true};
  if (address.host == "0.0.0.0") return {true, false};
  if (address.host == "::" && address.interface.empty()) return {!ipv6_only, true};
  return {};
}

/// Whether what reaches `narrow`, which is one address, reaches `wide` as well.
bool covers(Reach wide, const ListenAddress& narrow) {
  return narrow.host.contains(':') ? wide.v6 : wide.v4;
}

}  // namespace

std::expected<ListenAddress, ListenMistake> read_listen_address(std::string_view text) {
  return Reader(text).read();
}

Result<ListenAddress> parse_listen_address(std::string_view text) {
  Read read = read_listen_address(text);
  if (!read) return std::unexpected(Error{std::move(read.error().message), 0});
  return std::move(*read);
}

std::string listen_text(const ListenAddress& address) {
  const std::string kind = std::string(socket_kind_text(address.kind)) + "://";
  if (!address.path.empty()) return kind + address.path;
  const bool v6 = address.host.contains(':');
  const std::string interface = address.interface.empty() ? "" : "%" + address.interface;
  const std::string host = v6 ? "[" + address.host + interface + "]" : address.host;
  return kind + host + ":" + std::to_string(address.port);
}

bool has_file(const ListenAddress& address) {
  return address.path.starts_with('/');
}

std::string_view socket_kind_text(SocketKind kind) {
  return kKinds[static_cast<size_t>(kind)];
}

bool collide(const ListenAddress& one, bool one_ipv6_only, const ListenAddress& other,
             bool other_ipv6_only) {
  // All that have files share the paths; abstract names are each kind's own.
  if (!one.path.empty() || !other.path.empty())
    return one.path == other.path && (has_file(one) || one.kind == other.kind);
  if (one.kind != other.kind || one.port != other.port) return false;
  if (one.kind == SocketKind::vsock)
    return one.host == other.host || one.host == "any" || other.host == "any";
  if (!internet(one.kind) || one.port == 0) return false;
  const Reach first = reach_of(one, one_ipv6_only);
  const Reach second = reach_of(other, other_ipv6_only);
  if (first.whole() && second.whole()) return (first.v4 && second.v4) || (first.v6 && second.v6);
  if (first.whole()) return covers(first, other);
  if (second.whole()) return covers(second, one);
  return one.host == other.host && one.interface == other.interface;
}

}  // namespace foster
