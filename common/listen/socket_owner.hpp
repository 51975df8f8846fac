// Whom the file of a socket or fifo is to belong to.
#pragma once

#include <optional>
#include <sys/types.h>

#include "common/result.hpp"
#include "common/unit/unit_spec.hpp"

namespace foster {

struct SocketOwner {
  std::optional<uid_t> user;  // unset: left as it is
  std::optional<gid_t> group;
};

/// Names turned into numbers by the system's user database (getpwnam_r(3)). A user brings its first
/// group along where no group is named.
[[nodiscard]] Result<SocketOwner> find_socket_owner(const SocketSpec& spec);

}  // namespace foster
