#pragma once

#include "common/calendar/calendar.hpp"

namespace foster::calendar {

/// Parts in order, each once, ranges no longer than what they come to.
void normalise(Calendar& calendar);

}  // namespace foster::calendar
