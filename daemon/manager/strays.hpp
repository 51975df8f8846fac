// Services that run, but are not in the unit set any more: they were taken out of the unit files,
// or a template was scaled down. All that is left for them is to be stopped, as their own files
// said it: those are kept until then.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "common/ipc/unique_fd.hpp"
#include "common/unit/unit_set.hpp"
#include "daemon/manager/options.hpp"

namespace foster::manager {

/// `set` and a unit for each name. `texts` are memfds with the unit files of now and of former
/// sets, the newest first; a stray that none of them knows is stopped as is usual.
[[nodiscard]] std::shared_ptr<const UnitSet> with_strays(std::shared_ptr<const UnitSet> set,
                                                         const std::vector<std::string>& names,
                                                         std::span<const int> texts,
                                                         const Options& options);

}  // namespace foster::manager
