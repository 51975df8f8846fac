// Asking the manager for something, by way of foster-request: that program has sd-bus, so that
// fosterctl can be static and start at once. It makes one call and prints the answer.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/instant.hpp"
#include "common/result.hpp"
#include "ctl/arguments.hpp"
#include "ctl/environment.hpp"
#include "ctl/exit_code.hpp"
#include "ctl/session.hpp"

namespace foster::ctl {

/// How long the manager may take to answer. It answers within a turn of its loop, and one that has
/// crashed is back within a second.
inline constexpr Duration kRequestLimit = std::chrono::seconds(10);

struct Request {
  std::string_view method;         // of common/bus_api.hpp
  std::vector<std::string> names;  // units, as names or patterns; or a unit and a descriptor's name
  std::optional<uint32_t> number;  // for the methods that take one
};

/// The control sockets that may be meant, the likeliest first.
[[nodiscard]] std::vector<std::string> control_socket_candidates(std::string_view instance_id,
                                                                 std::string_view runtime_dir,
                                                                 const Environment& environment);

/// "fosterd is gone (it was pid 123)".
[[nodiscard]] std::string gone_text(const region::Reader& reader);

/// The lines of the answer. What was wrong has been said when there is none; unknown names are
/// explained with the help of the region.
[[nodiscard]] Step<std::vector<std::string>> request(Session& session, const Arguments& arguments,
                                                     const OpenRegion& region,
                                                     const Request& request);

}  // namespace foster::ctl
