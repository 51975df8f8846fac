// What a process is given beside what its unit file says: by whoever listens for its messages or
// its readiness.
#pragma once

#include <vector>

#include "common/unit/unit_spec.hpp"
#include "daemon/manager/environment.hpp"
#include "daemon/manager/keeper_client.hpp"

namespace foster::manager {

struct SpawnExtras {
  std::vector<PassedDescriptor> descriptors;
  Environment environment;  // set last, so that nothing of the unit's own hides it
  Argv wrapper;  // a program's path and its arguments, executed in the command's place: it is told
                 // the command's path, "--" and the command
};

/// The lowest number behind the standard ones that none of the descriptors has yet.
[[nodiscard]] int free_number(const SpawnExtras& extras);

}  // namespace foster::manager
