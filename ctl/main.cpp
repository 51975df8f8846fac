// fosterctl: only wires. The verbs are in verb_*.cpp, their table in command_table.cpp.

#include <csignal>
#include <cstring>
#include <string>
#include <unistd.h>
#include <vector>

#include "ctl/command_table.hpp"
#include "ctl/environment.hpp"
#include "ctl/output.hpp"
#include "ctl/session.hpp"

namespace {

using foster::ctl::CommandLine;
using foster::ctl::ExitCode;
using foster::ctl::Output;
using foster::ctl::Session;

ExitCode run(const CommandLine& line, Session& session, Output& out, Output& err) {
  if (line.command != nullptr) return line.command->run(session, line.arguments);
  (line.code == ExitCode::usage ? err : out).write(line.text);
  return line.code;
}

}  // namespace

int main(int argc, char** argv) {
  // A reader that goes away is seen as EPIPE, whatever we were started with.
  std::signal(SIGPIPE, SIG_IGN);
  const foster::ctl::Environment environment = foster::ctl::read_environment();
  Output out(STDOUT_FILENO);
  Output err(STDERR_FILENO);
  Session session(environment, out, err);
  const std::vector<std::string> words(argv + (argc > 0 ? 1 : 0), argv + argc);
  const CommandLine line = foster::ctl::parse_command_line(words, environment);
  ExitCode code = run(line, session, out, err);
  out.flush();
  if (out.error() != 0) {
    err.line(std::string("fosterctl: cannot write: ") + strerrordesc_np(out.error()));
    code = ExitCode::failed;
  }
  err.flush();
  return static_cast<int>(code);
}
