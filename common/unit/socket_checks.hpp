// What is wrong with the sockets of one unit that are right key by key, and with what it says of
// descriptors besides.
#pragma once

#include <span>

#include "common/unit/findings.hpp"
#include "common/unit/given_keys.hpp"
#include "common/unit/unit_spec.hpp"

namespace foster {

/// A [[socket]] as it was met: the keys it has, in the order of the unit's sockets.
struct GivenSocket {
  Place place;
  GivenKeys keys;
};

void check_sockets(const UnitSpec& spec, const GivenKeys& given,
                   std::span<const GivenSocket> sockets, Findings& findings);

}  // namespace foster
