// What the manager has published, which is all that the next one finds of it.
#pragma once

#include <optional>
#include <vector>

#include "common/ids.hpp"
#include "daemon/core/unit_state.hpp"

namespace foster::sim {

struct ModelRegion {
  std::vector<std::optional<core::UnitRecord>> records;  // by unit
  Attempt last_attempt;
  JobId last_job;
  bool shutting_down = false;
  int exit_code = 0;
};

}  // namespace foster::sim
