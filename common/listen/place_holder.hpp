// Who listens where someone else wants to (proc(5)).
#pragma once

#include <string>

#include "common/unit/listen_address.hpp"

namespace foster {

/// "nginx, process 123"; "a process of user 33" where this user may not see which; empty where
/// nothing can be told.
[[nodiscard]] std::string holder_of(const ListenAddress& address);

/// Whether a unix socket of this network namespace is bound to the path, or abstract name, and
/// listens, or is a dgram socket. A path is compared as it was bound.
[[nodiscard]] bool unix_socket_there(const std::string& path);

}  // namespace foster
