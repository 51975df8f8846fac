// Running a program to its end within a limit of time, and taking what it writes.
#pragma once

#include <string>
#include <vector>

#include "common/instant.hpp"
#include "common/result.hpp"

namespace foster::ctl {

struct ChildOutput {
  std::string out;
  std::string err;
  int exit_code = 0;       // 128 + signal when one killed it
  bool timed_out = false;  // it was killed by us
};

/// `words` begins with the program's path. The program is killed when it has not ended by `until`.
[[nodiscard]] Result<ChildOutput> run_program(const std::vector<std::string>& words, Instant until);

}  // namespace foster::ctl
