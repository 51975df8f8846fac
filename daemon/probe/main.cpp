// foster-probe: one try of a readiness or health check. Checks by HTTP are passed on to
// foster-probe-http: loading libcurl takes several times as long as all that the others do.
#include <climits>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <string>
#include <sys/time.h>
#include <unistd.h>
#include <variant>
#include <vector>

#include "daemon/probe/connect_probe.hpp"
#include "daemon/probe/options.hpp"

namespace foster::probe {
namespace {

char timeout_text[512];

/// Also ends a look-up of the host's name, which cannot be given a timeout otherwise.
void took_too_long(int) {
  // Nobody is left to tell when even this cannot be written.
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, timeout_text, strlen(timeout_text));
  _exit(kNotGood);
}

void set_timer(const std::string& target, uint32_t timeout_ms) {
  std::snprintf(timeout_text, sizeof timeout_text,
                "foster-probe: cannot connect to %.300s: no answer within %u ms\n", target.c_str(),
                timeout_ms);
  std::signal(SIGALRM, took_too_long);
  const itimerval once{.it_interval = {},
                       .it_value = {.tv_sec = timeout_ms / 1000,
                                    .tv_usec = static_cast<suseconds_t>(timeout_ms % 1000) * 1000}};
  setitimer(ITIMER_REAL, &once, nullptr);
}

/// The program beside this one that knows HTTP. Returns only when it cannot be executed.
Result<void> pass_on(char** arguments) {
  char own[PATH_MAX] = {};
  const ssize_t length = readlink("/proc/self/exe", own, sizeof own - 1);
  if (length < 0) return system_failure("find foster-probe-http", errno);
  const std::string path = std::string(own, static_cast<size_t>(length)) + "-http";
  execv(path.c_str(), arguments);
  return system_failure("execute " + path, errno);
}

Result<void> probe(const Options& options, char** arguments) {
  if (const auto* tcp = std::get_if<TcpTarget>(&options.target)) {
    set_timer(tcp->text, options.timeout_ms);
    return probe_tcp(*tcp);
  }
  if (const auto* unix_socket = std::get_if<UnixTarget>(&options.target)) {
    set_timer(unix_socket->path, options.timeout_ms);
    return probe_unix(*unix_socket);
  }
  return pass_on(arguments);
}

}  // namespace

static int run(const std::vector<std::string>& words, char** arguments) {
  const auto options = parse_options(words);
  if (!options) {
    std::fprintf(stderr, "foster-probe: %s\n%s", options.error().message.c_str(), kUsageText);
    return kUsage;
  }
  const auto good = probe(*options, arguments);
  if (good) return kGood;
  std::fprintf(stderr, "foster-probe: %s\n", good.error().message.c_str());
  return kNotGood;
}

}  // namespace foster::probe

int main(int argc, char** argv) {
  return foster::probe::run({argv + (argc > 0 ? 1 : 0), argv + argc}, argv);
}
