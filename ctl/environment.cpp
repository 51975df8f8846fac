#include "ctl/environment.hpp"

#include <cstdlib>
#include <string_view>
#include <sys/ioctl.h>
#include <unistd.h>

namespace foster::ctl {
namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace

Environment read_environment() {
  Environment environment{.uid = geteuid(),
                          .instance = variable("FOSTER_INSTANCE"),
                          .runtime_dir = variable("FOSTER_RUNTIME_DIR"),
                          .xdg_runtime_dir = variable("XDG_RUNTIME_DIR"),
                          .xdg_config_home = variable("XDG_CONFIG_HOME"),
                          .home = variable("HOME")};
  winsize size{};
  // Only a terminal answers: this is isatty(3) and the width in one call.
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0) return environment;
  environment.columns = size.ws_col;
  environment.colour = variable("NO_COLOR").empty() && variable("TERM") != "dumb";
  return environment;
}

}  // namespace foster::ctl
