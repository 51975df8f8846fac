// From a bare process to all that a manager needs: the first manager of a daemon makes it, each
// later one finds it with the keeper and in the status region.
#pragma once

#include <variant>

#include "common/result.hpp"
#include "daemon/manager/manager.hpp"
#include "daemon/manager/options.hpp"

namespace foster::manager {

/// An EndNow when there is nothing to manage: the units are wrong, another daemon runs, ...
[[nodiscard]] std::variant<Holdings, EndNow> take_over(KeeperClient& keeper,
                                                       const Options& options);

}  // namespace foster::manager
