// foster-manager, the clever part of fosterd. Started by the keeper with fosterd's own command line
// and environment, and started again by it after a crash.
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <sys/socket.h>
#include <unistd.h>
#include <variant>
#include <vector>

#include "daemon/manager/log.hpp"
#include "daemon/manager/manager.hpp"
#include "daemon/manager/options.hpp"
#include "daemon/manager/takeover.hpp"

namespace foster::manager {
namespace {

constexpr int kCannotStart = 1;
constexpr int kNotByKeeper = 2;

int end_now(const EndNow& end) {
  std::fputs(end.text.c_str(), end.exit_code == 0 ? stdout : stderr);
  return end.exit_code;
}

bool started_by_keeper() {
  int type = 0;
  socklen_t length = sizeof type;
  return getsockopt(protocol::kManagerFd, SOL_SOCKET, SO_TYPE, &type, &length) == 0 &&
         type == SOCK_SEQPACKET;
}

int serve(const Options& options) {
  KeeperClient keeper{UniqueFd(protocol::kManagerFd)};
  auto taken = take_over(keeper, options);
  if (const auto* end = std::get_if<EndNow>(&taken)) return end_now(*end);
  Manager manager(keeper, std::move(std::get<Holdings>(taken)), environ);
  const auto ended = manager.run();
  if (ended) return *ended;
  log(Level::error, ended.error().message);
  return kCannotStart;
}

}  // namespace

/// Everything main does, where the names are at home.
static int run_manager(const std::vector<std::string>& arguments) {
  const auto parsed = parse_options(arguments);
  if (const auto* end = std::get_if<EndNow>(&parsed)) return end_now(*end);
  if (!started_by_keeper()) {
    std::fputs("foster-manager: it is fosterd that starts this program\n", stderr);
    return kNotByKeeper;
  }
  return serve(std::get<Options>(parsed));
}

}  // namespace foster::manager

int main(int argc, char** argv) {
  // A reader of the log that goes away is to cost lines of the log, and nothing else.
  std::signal(SIGPIPE, SIG_IGN);
  return foster::manager::run_manager(std::vector<std::string>(argv, argv + argc));
}
