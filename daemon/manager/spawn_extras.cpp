#include "daemon/manager/spawn_extras.hpp"

#include <algorithm>

namespace foster::manager {

int free_number(const SpawnExtras& extras) {
  constexpr int kFirst = 3;
  int number = kFirst;
  while (std::ranges::find(extras.descriptors, number, &PassedDescriptor::number) !=
         extras.descriptors.end())
    ++number;
  return number;
}

}  // namespace foster::manager
