// What fosterctl exits with. Documented in fosterctl(1); scripts build on it.
#pragma once

namespace foster::ctl {

enum class ExitCode : int {
  done = 0,
  failed = 1,
  usage = 2,
  no_such_unit = 3,
  no_daemon = 4,
  not_permitted = 5,
  timed_out = 124,
};

}  // namespace foster::ctl
