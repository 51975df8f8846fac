#include "ctl/requester.hpp"

#include <algorithm>
#include <sys/stat.h>
#include <unistd.h>

#include "common/bus_api.hpp"
#include "common/instance.hpp"
#include "ctl/child_output.hpp"
#include "ctl/printable.hpp"
#include "ctl/request_exit.hpp"
#include "ctl/selection.hpp"

namespace foster::ctl {
namespace {

constexpr char kProgram[] = "/foster-request";

// Beyond its own limit of time, foster-request is given this long to say so.
constexpr Duration kGrace = std::chrono::seconds(2);

Result<std::string> find_program() {
  char path[4096];
  const ssize_t length = readlink("/proc/self/exe", path, sizeof path);
  std::vector<std::string> directories;
  if (length > 0 && static_cast<size_t>(length) < sizeof path) {
    const std::string_view own(path, static_cast<size_t>(length));
    const std::string directory(own.substr(0, own.rfind('/')));
    directories = {directory, directory + "/../libexec/foster"};
  }
  directories.emplace_back(FOSTER_LIBEXECDIR);
  for (const std::string& directory : directories) {
    if (access((directory + kProgram).c_str(), X_OK) == 0) return directory + kProgram;
  }
  return failure("find foster-request", "it is neither beside fosterctl nor in " FOSTER_LIBEXECDIR);
}

/// A socket in a directory that somebody else made may be anybody's.
bool trustworthy(const std::string& path, uid_t owner) {
  const std::string directory = path.substr(0, path.rfind('/'));
  struct stat found {};
  struct stat socket {};
  if (lstat(directory.c_str(), &found) != 0 || lstat(path.c_str(), &socket) != 0) return false;
  return S_ISSOCK(socket.st_mode) && (found.st_uid == owner || found.st_uid == 0);
}

Result<std::string> find_socket(const OpenRegion& region, const Arguments& arguments,
                                const Environment& environment) {
  const std::vector<std::string> candidates =
      control_socket_candidates(region.id, arguments.runtime_dir, environment);
  std::string looked_at;
  for (const std::string& path : candidates) {
    if (!arguments.runtime_dir.empty() || trustworthy(path, instance_owner(region.id))) return path;
    looked_at += (looked_at.empty() ? "" : ", ") + path;
  }
  return failure(
      "find the daemon's control socket",
      "it is none of " + looked_at +
          "; give --runtime-dir: the directory that fosterd was started with, or foster/" +
          region.id + " in the XDG_RUNTIME_DIR that it was started with");
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (size_t start = 0; start < text.size();) {
    const size_t end = std::min(text.find('\n', start), text.size());
    lines.push_back(text.substr(start, end - start));
    start = end + 1;
  }
  return lines;
}

/// What the region knows of a manager that does not answer.
std::string silence(const OpenRegion& region) {
  const foster_region_header header = region.reader.header();
  const std::string manager = "the manager (pid " + std::to_string(header.manager_pid) + ") ";
  switch (region.reader.manager(now_since_boot())) {
    case region::Liveness::frozen:
      return manager + "does not answer: it is stopped by a signal or a debugger";
    case region::Liveness::busy:
      return manager + "does not answer: it is busy with something else";
    case region::Liveness::dead:
      return "the manager does not answer: it has died and is not back yet";
    case region::Liveness::alive:
      break;
  }
  return manager + "does not answer";
}

/// Diagnostics as `check` prints them: several lines each.
ExitCode explain_bad_units(Session& session, const std::string& diagnostics) {
  std::string text;
  for (const std::string& line : lines_of(diagnostics))
    text += printable(line) + "\n";
  session.complain_further(text);
  return session.fail(ExitCode::failed, "the unit files have mistakes: nothing was changed");
}

/// The words of a request that are units, or patterns of them.
std::vector<std::string> units_of(const Request& request) {
  const bool of_descriptor = request.method == bus_api::kPass || request.method == bus_api::kDrop ||
                             request.method == bus_api::kTake || request.method == bus_api::kHandUp;
  if (of_descriptor && !request.names.empty()) return {request.names.front()};
  return request.names;
}

ExitCode explain_refusal(Session& session, const OpenRegion& region, const Request& request,
                         const std::string& err) {
  const size_t tab = std::min(err.find('\t'), err.size());
  const std::string name = err.substr(0, tab);
  const std::string whole = err.substr(tab < err.size() ? tab + 1 : 0);
  const std::string message = whole.substr(0, whole.find('\n'));
  if (name == bus_api::kErrorBadUnits) return explain_bad_units(session, whole);
  if (name == bus_api::kErrorNotPermitted) return session.fail(ExitCode::not_permitted, message);
  if (name == bus_api::kErrorMasked)
    return session.fail(ExitCode::failed, message + "; fosterctl unmask allows it to be started");
  if (name == bus_api::kErrorCannotReload)
    return session.fail(ExitCode::failed,
                        message + "; a reload hook, or type notify, would make it");
  if (name == bus_api::kErrorNoSuchDescriptor)
    return session.fail(ExitCode::no_such_unit,
                        message + "; fosterctl fds " + request.names.front() + " lists what is");
  if (name == bus_api::kErrorInvalid) return session.fail(ExitCode::usage, message);
  if (name != bus_api::kErrorNoSuchUnit) return session.fail(ExitCode::failed, message);
  if (request.method == bus_api::kScale) return session.fail(ExitCode::no_such_unit, message);
  const Selection selection = select_slots(region.reader, units_of(request));
  for (const std::string& missing : selection.missing)
    session.complain(no_such_unit(region.reader, missing));
  if (selection.missing.empty()) session.complain(message);
  return ExitCode::no_such_unit;
}

/// The manager died over a shutdown.
bool lost(const ChildOutput& output) {
  return !output.timed_out && output.exit_code == static_cast<int>(RequestExit::lost);
}

/// The shutdown was recorded before the manager died: its successor goes on with it.
bool stopping(const region::Reader& reader) {
  return reader.header().phase >= FOSTER_PHASE_STOPPING ||
         reader.keeper(now_since_boot()) == region::Liveness::dead;
}

ExitCode explain(Session& session, const OpenRegion& region, const Request& request,
                 const ChildOutput& output) {
  const std::string said = output.err.substr(0, output.err.find('\n'));
  if (output.timed_out) return session.fail(ExitCode::timed_out, silence(region));
  switch (static_cast<RequestExit>(output.exit_code)) {
    case RequestExit::refused:
      return explain_refusal(session, region, request, output.err);
    case RequestExit::no_connection:
      if (region.reader.keeper(now_since_boot()) != region::Liveness::dead)
        return session.fail(ExitCode::no_daemon, said);
      return session.fail(ExitCode::no_daemon, gone_text(region.reader));
    case RequestExit::not_permitted:
      return session.fail(ExitCode::not_permitted, said);
    case RequestExit::timed_out:
      return session.fail(ExitCode::timed_out, silence(region));
    case RequestExit::answered:
    case RequestExit::usage:
    case RequestExit::failed:
    case RequestExit::lost:
      break;
  }
  return session.fail(ExitCode::failed, said.empty() ? "foster-request failed" : said);
}

}  // namespace

std::string gone_text(const region::Reader& reader) {
  return "fosterd is gone (it was pid " + std::to_string(reader.header().keeper_pid) + ")";
}

std::vector<std::string> control_socket_candidates(std::string_view instance_id,
                                                   std::string_view runtime_dir,
                                                   const Environment& environment) {
  const std::string socket = std::string("/") + bus_api::kControlSocket;
  if (!runtime_dir.empty()) return {std::string(runtime_dir) + socket};
  // Another user's runtime directory is not in our environment, nor always our own (sudo, cron).
  const std::string usual = "/run/user/" + std::to_string(instance_owner(instance_id));
  std::vector<std::string> directories =
      runtime_dir_candidates(instance_id, environment.xdg_runtime_dir);
  for (std::string& directory : runtime_dir_candidates(instance_id, usual))
    directories.push_back(std::move(directory));
  std::vector<std::string> sockets;
  for (const std::string& directory : directories) {
    if (std::ranges::find(sockets, directory + socket) == sockets.end())
      sockets.push_back(directory + socket);
  }
  return sockets;
}

Step<std::vector<std::string>> request(Session& session, const Arguments& arguments,
                                       const OpenRegion& region, const Request& request) {
  if (region.reader.keeper(now_since_boot()) == region::Liveness::dead)
    return std::unexpected(session.fail(ExitCode::no_daemon, gone_text(region.reader)));
  const Result<std::string> program = find_program();
  if (!program) return std::unexpected(session.fail(ExitCode::failed, program.error().message));
  const Result<std::string> socket = find_socket(region, arguments, session.environment());
  if (!socket) return std::unexpected(session.fail(ExitCode::no_daemon, socket.error().message));
  const Duration limit = std::min(kRequestLimit, arguments.timeout.value_or(kRequestLimit));
  const auto limit_ms = std::chrono::ceil<std::chrono::milliseconds>(limit).count();
  std::vector<std::string> words{*program, std::to_string(limit_ms), *socket,
                                 std::string(request.method)};
  if (request.number) words.push_back(std::to_string(*request.number));
  words.insert(words.end(), request.names.begin(), request.names.end());
  const Instant until = now_since_boot() + limit + kGrace;
  Result<ChildOutput> output = run_program(words, until);
  while (output && lost(*output) && !stopping(region.reader) && now_since_boot() < until)
    output = run_program(words, until);
  if (!output) return std::unexpected(session.fail(ExitCode::failed, output.error().message));
  const bool asked = lost(*output) ? stopping(region.reader) : output->exit_code == 0;
  if (output->timed_out || !asked)
    return std::unexpected(explain(session, region, request, *output));
  return lines_of(output->out);
}

}  // namespace foster::ctl
