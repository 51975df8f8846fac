#include "daemon/probe/options.hpp"

#include <charconv>
#include <optional>
#include <string_view>

namespace foster::probe {
namespace {

constexpr uint32_t kTimeoutMaxMs = 24 * 60 * 60 * 1000;
constexpr uint32_t kPortMax = 65535;
constexpr uint32_t kStatusMin = 100;
constexpr uint32_t kStatusMax = 599;

std::unexpected<Error> wrong(std::string message) {
  return std::unexpected(Error{std::move(message)});
}

std::optional<uint32_t> number_between(std::string_view text, uint32_t least, uint32_t most) {
  uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc{} && end == text.data() + text.size();
  return whole && value >= least && value <= most ? std::optional(value) : std::nullopt;
}

Result<TcpTarget> parse_tcp(const std::string& text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0) return wrong("'" + text + "' is not HOST:PORT");
  TcpTarget target{text.substr(0, colon), text.substr(colon + 1), text};
  const bool bracketed = target.host.starts_with('[') && target.host.ends_with(']');
  if (bracketed)
    target.host = target.host.substr(1, target.host.size() - 2);
  else if (target.host.find(':') != std::string::npos)
    return wrong("'" + text + "': an IPv6 address is written in brackets, as in [::1]:80");
  if (target.host.empty()) return wrong("'" + text + "' has no host");
  if (!number_between(target.port, 1, kPortMax))
    return wrong("'" + target.port + "' is no port from 1 to 65535");
  return target;
}

Result<HttpTarget> parse_http(const std::string& url) {
  if (!url.starts_with("http://") && !url.starts_with("https://"))
    return wrong("'" + url + "' begins with neither http:// nor https://");
  return HttpTarget{.url = url};
}

Result<Options> parse_target(const std::string& kind, const std::string& target) {
  Options options;
  if (kind == "tcp") {
    auto tcp = parse_tcp(target);
    if (!tcp) return std::unexpected(std::move(tcp.error()));
    options.target = std::move(*tcp);
  } else if (kind == "unix") {
    if (target.empty()) return wrong("the path of a socket is empty");
    options.target = UnixTarget{target};
  } else if (kind == "http") {
    auto http = parse_http(target);
    if (!http) return std::unexpected(std::move(http.error()));
    options.target = std::move(*http);
  } else {
    return wrong("'" + kind + "' is none of tcp, unix and http");
  }
  return options;
}

Result<void> take_option(Options& options, const std::string& name, const std::string& value) {
  auto* http = std::get_if<HttpTarget>(&options.target);
  if (name == "--timeout") {
    const auto timeout = number_between(value, 1, kTimeoutMaxMs);
    if (!timeout) return wrong("'" + value + "' is no timeout in milliseconds");
    options.timeout_ms = *timeout;
  } else if (name == "--status" && http != nullptr) {
    const auto status = number_between(value, kStatusMin, kStatusMax);
    if (!status) return wrong("'" + value + "' is no status of HTTP");
    http->status = static_cast<uint16_t>(*status);
  } else {
    return wrong("'" + name + "' is not understood here");
  }
  return {};
}

}  // namespace

Result<Options> parse_options(const std::vector<std::string>& arguments) {
  if (arguments.size() < 2) return wrong("what to probe is missing");
  auto options = parse_target(arguments[0], arguments[1]);
  if (!options) return options;
  for (size_t at = 2; at < arguments.size(); at += 2) {
    if (at + 1 == arguments.size()) return wrong("'" + arguments[at] + "' has no value");
    if (auto taken = take_option(*options, arguments[at], arguments[at + 1]); !taken)
      return std::unexpected(std::move(taken.error()));
  }
  return options;
}

}  // namespace foster::probe
