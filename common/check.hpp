// The check that stays in release builds. It guards invariants: a broken one means that the program
// no longer knows what it does, so it says where and aborts. The keeper restarts an aborted
// manager. It uses write(2) alone, so that it can stand in every room, the keeper included.
#pragma once

namespace foster {

[[noreturn]] void check_failed(const char* expression, const char* file, int line);

}  // namespace foster

#define FOSTER_CHECK(expression) \
  ((expression) ? static_cast<void>(0) : ::foster::check_failed(#expression, __FILE__, __LINE__))
