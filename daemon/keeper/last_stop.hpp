// The end: stopping everything without a manager's help, and the last sweep that leaves no process
// of ours behind. These wait, but for signals alone; a second SIGTERM or SIGINT hurries each wait.
#pragma once

#include "daemon/keeper/keeper.hpp"

namespace foster::keeper {

/// There is no manager to do it in order: SIGTERM to every service at once, a grace, SIGKILL.
[[noreturn]] void stop_without_manager(Keeper& keeper);

/// The manager has stopped what it wanted stopped: waits for it to go, then ends.
[[noreturn]] void finish(Keeper& keeper, int code);

/// Ends every process that is still below the keeper, then exits with `code`.
[[noreturn]] void end(Keeper& keeper, int code);

}  // namespace foster::keeper
