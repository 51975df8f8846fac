#include "ctl/follow.hpp"

#include "ctl/daemon_watch.hpp"
#include "ctl/requester.hpp"

namespace foster::ctl {

ExitCode follow(Session& session, OpenRegion& region, EventPrinter& printer,
                const std::function<void()>& look) {
  DaemonWatch watch(region.reader, region.id);
  while (session.out().flush()) {
    const Wake wake = watch.sleep(std::nullopt, session.out().descriptor());
    if (wake == Wake::unread) return ExitCode::done;
    if (wake == Wake::changed) look();
    if (wake == Wake::ended) {
      printer.remark("daemon_ended", "fosterd has ended");
      return ExitCode::done;
    }
    if (wake == Wake::gone) {
      printer.remark("daemon_gone", gone_text(region.reader) + "; waiting for it to come back");
      session.out().flush();
      const Result<Wake> back = watch.await_successor(session.out().descriptor());
      if (!back) return session.fail(ExitCode::no_daemon, back.error().message);
      if (*back == Wake::unread) return ExitCode::done;
      printer.remark("daemon_back",
                     "fosterd is back, pid " + std::to_string(region.reader.header().keeper_pid));
    }
  }
  return ExitCode::done;
}

}  // namespace foster::ctl
