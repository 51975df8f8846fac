// A GET by libcurl: is the status the one that is expected? Redirections are not followed, no proxy
// is asked, certificates are verified, the body is thrown away.
#pragma once

#include "common/result.hpp"
#include "daemon/probe/options.hpp"

namespace foster::probe {

[[nodiscard]] Result<void> probe_http(const HttpTarget& target, uint32_t timeout_ms);

}  // namespace foster::probe
