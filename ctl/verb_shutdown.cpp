// shutdown: everything stops in order, and fosterd ends. The keeper is the last of the family to
// go, so its end, seen by a pidfd, is the end of all. The pidfd is opened before the request:
// afterwards the pid might be another's.

#include <cerrno>
#include <poll.h>

#include "common/bus_api.hpp"
#include "ctl/daemon_watch.hpp"
#include "ctl/requester.hpp"
#include "ctl/verbs.hpp"

namespace foster::ctl {
namespace {

/// False when the time ran out.
bool await_end(const UniqueFd& process, std::optional<Instant> until) {
  pollfd waited{process.get(), POLLIN, 0};
  int ready = 0;
  do {
    ready = poll(&waited, 1, poll_timeout(until));
  } while (ready < 0 && errno == EINTR);
  return ready > 0;
}

}  // namespace

ExitCode run_shutdown(Session& session, const Arguments& arguments) {
  std::optional<Instant> until;
  if (arguments.timeout) until = now_since_boot() + *arguments.timeout;
  const Step<OpenRegion> region = session.open_region(arguments);
  if (!region) return region.error();
  const UniqueFd keeper = open_pidfd(region->reader.header().keeper_pid);
  const int error = errno;
  const Step<std::vector<std::string>> answer =
      request(session, arguments, *region, {.method = bus_api::kShutdown});
  if (!answer) return answer.error();
  if (arguments.no_wait) {
    if (!arguments.quiet) session.out().line("shutdown requested");
    return ExitCode::done;
  }
  if (!keeper && error != ESRCH)
    return session.fail(ExitCode::failed,
                        std::string("shutdown was requested, but its end cannot be "
                                    "waited for: ") +
                            strerrordesc_np(error));
  if (keeper && !await_end(keeper, until))
    return session.fail(ExitCode::timed_out, "timed out: fosterd is still stopping its units");
  if (!arguments.quiet) session.out().line("fosterd has ended");
  return ExitCode::done;
}

}  // namespace foster::ctl
