// Does something accept connections there? Blocks for as long as it takes: the program's timer ends
// a probe that takes too long.
#pragma once

#include "common/result.hpp"
#include "daemon/probe/options.hpp"

namespace foster::probe {

/// Tries all addresses of the host at once; one that accepts is enough.
[[nodiscard]] Result<void> probe_tcp(const TcpTarget& target);

/// Stream, seqpacket or datagram, as the socket is. A path that begins with '@' is an abstract
/// name.
[[nodiscard]] Result<void> probe_unix(const UnixTarget& target);

}  // namespace foster::probe
