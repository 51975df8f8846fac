// What fosterctl takes from the world it is called in, read once at the start.
#pragma once

#include <cstddef>
#include <string>
#include <sys/types.h>

namespace foster::ctl {

struct Environment {
  uid_t uid = 0;
  std::string instance;         // $FOSTER_INSTANCE
  std::string runtime_dir;      // $FOSTER_RUNTIME_DIR
  std::string xdg_runtime_dir;  // $XDG_RUNTIME_DIR
  std::string xdg_config_home;  // $XDG_CONFIG_HOME
  std::string home;             // $HOME
  bool colour = false;          // stdout is a terminal that takes it, and $NO_COLOR is not set
  size_t columns = 0;           // of that terminal; 0 when stdout is none
};

[[nodiscard]] Environment read_environment();

}  // namespace foster::ctl
