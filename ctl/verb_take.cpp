// take: a command in our place, with a descriptor that foster holds for a unit: as descriptor 3,
// told of as sd_listen_fds(3) has it. Foster goes on holding it.

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <unistd.h>

#include "common/bus_api.hpp"
#include "common/ipc/channel.hpp"
#include "ctl/requester.hpp"
#include "ctl/verbs.hpp"

namespace foster::ctl {
namespace {

constexpr int kFirstPassed = 3;

UniqueFd receive_descriptor(int channel) {
  ipc::PacketReader reader;
  ipc::Record record;
  if (reader.receive(channel, true) != ipc::PacketReader::Outcome::packet) return {};
  return reader.next(record) && record.fd_count == 1 ? reader.take_fd(0) : UniqueFd();
}

Step<UniqueFd> ask_for_it(Session& session, const Arguments& arguments, const OpenRegion& region) {
  UniqueFd ours;
  UniqueFd theirs;
  if (const int error = ipc::make_pair(ours, theirs); error != 0)
    return std::unexpected(
        session.fail(ExitCode::failed, system_failure("make a channel", error).error().message));
  const UniqueFd inheritable(fcntl(theirs.get(), F_DUPFD, kFirstPassed));
  const Step<std::vector<std::string>> answer =
      request(session, arguments, region,
              {.method = bus_api::kTake,
               .names = {arguments.names.front(), arguments.descriptor},
               .number = static_cast<uint32_t>(inheritable.get())});
  if (!answer) return std::unexpected(answer.error());
  UniqueFd taken = receive_descriptor(ours.get());
  if (taken) return taken;
  return std::unexpected(session.fail(ExitCode::failed, "the answer came without a descriptor"));
}

/// As descriptor 3, which stays open in the command. False with errno.
bool put_in_place(UniqueFd taken) {
  if (taken.get() != kFirstPassed) return dup2(taken.get(), kFirstPassed) >= 0;
  return fcntl(taken.release(), F_SETFD, 0) == 0;
}

bool tell_of_it(const std::string& name) {
  return setenv("LISTEN_FDS", "1", 1) == 0 && setenv("LISTEN_FDNAMES", name.c_str(), 1) == 0 &&
         setenv("LISTEN_PID", std::to_string(getpid()).c_str(), 1) == 0;
}

}  // namespace

ExitCode run_take(Session& session, const Arguments& arguments) {
  std::vector<char*> argv;
  argv.reserve(arguments.command.size() + 1);
  for (const std::string& word : arguments.command)
    argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  {
    const Step<OpenRegion> region = session.open_region(arguments);
    if (!region) return region.error();
    Step<UniqueFd> taken = ask_for_it(session, arguments, *region);
    if (!taken) return taken.error();
    if (!put_in_place(std::move(*taken)) || !tell_of_it(arguments.descriptor))
      return session.fail(ExitCode::failed,
                          system_failure("pass the descriptor on", errno).error().message);
  }
  // We ignore it, which the command would inherit.
  std::signal(SIGPIPE, SIG_DFL);
  execvp(argv.front(), argv.data());
  return session.fail(ExitCode::failed, "cannot execute " + arguments.command.front() + ": " +
                                            strerrordesc_np(errno));
}

}  // namespace foster::ctl
