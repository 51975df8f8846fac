// What is wrong with keys that are right on their own: two that exclude each other, one that is of
// no use without another.
#pragma once

#include "common/unit/findings.hpp"
#include "common/unit/given_keys.hpp"
#include "common/unit/socket_checks.hpp"
#include "common/unit/unit_spec.hpp"

namespace foster {

void check_keys_together(const UnitSpec& spec, const GivenKeys& given,
                         std::span<const GivenSocket> sockets, Findings& findings);

}  // namespace foster
