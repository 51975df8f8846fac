// What goes into a call and comes out of its answer, by the types of common/bus_api.hpp.
#pragma once

#include <string_view>

#include <systemd/sd-bus.h>

#include "ctl/bus_client.hpp"

namespace foster::ctl {

/// 0 or more, or a negative errno.
[[nodiscard]] int append_arguments(sd_bus_message* message, const Call& call);

/// The answer's values, a line each; a descriptor comes beside them.
[[nodiscard]] int read_answer(sd_bus_message* reply, Answer& answer);

}  // namespace foster::ctl
