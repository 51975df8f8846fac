// Staying with a daemon, and with the one that comes after it if it is lost: for watch and events
// --follow.
#pragma once

#include <functional>

#include "ctl/event_printer.hpp"
#include "ctl/exit_code.hpp"
#include "ctl/session.hpp"

namespace foster::ctl {

/// Calls `look` after each change, until the daemon has ended in order or nobody reads us any more.
/// A daemon that is gone without a word is waited for until it is back.
[[nodiscard]] ExitCode follow(Session& session, OpenRegion& region, EventPrinter& printer,
                              const std::function<void()>& look);

}  // namespace foster::ctl
