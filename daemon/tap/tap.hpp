// foster-tap stands between a service and the daemon's own output where someone has to see what the
// service says: for readiness by a line of output, and for the last lines that `why` shows. It is
// executed in the service's place, puts pipes where stdout and stderr were, leaves a process behind
// that reads them, and executes the service: which therefore has the pid, the group and the
// descriptors that it would have had without.
//
// The process that reads is nobody's child but the keeper's (it was forked twice), so that the
// service does not notice it. It is in the service's process group until the service's main process
// has ended and everything that this one wrote has been read: so an attempt is not over before its
// last words are kept. If others still hold the pipes then, it goes on in a session of its own
// until they end, and nobody waits for it. It takes no signals, wipes its copy of the environment,
// by which processes are taken for the service's, and holds none of the service's descriptors.
#pragma once

#include <regex.h>
#include <string>

#include "common/ipc/unique_fd.hpp"
#include "common/output_tail/output_tail.h"

namespace foster::tap {

struct Options {
  std::string program;  // what to execute
  char** arguments = nullptr;
  std::string match;  // an extended regular expression (regex(7)); empty: none
  int ready_fd = -1;  // gets a newline once a line has matched
  int tail_fd = -1;   // a foster_output_tail file; -1: none
};

/// Splits what was read into lines, for the expression.
class LineMatcher {
 public:
  LineMatcher(const std::string& expression, UniqueFd ready);
  ~LineMatcher();
  LineMatcher(const LineMatcher&) = delete;
  LineMatcher& operator=(const LineMatcher&) = delete;

  void take(const char* bytes, size_t count);

 private:
  void line_ended();

  regex_t expression_{};
  bool compiled_ = false;
  UniqueFd ready_;
  std::string line_;
};

/// Reads both pipes to their ends, passing on what comes to stdout and stderr.
class Reader {
 public:
  /// `main` is a pidfd of the service's main process.
  Reader(UniqueFd out, UniqueFd error, UniqueFd main, const Options& options);
  void run();

 private:
  void main_ended();
  void drain(UniqueFd& from, int to, LineMatcher& matcher);
  bool pass_on(UniqueFd& from, int to, LineMatcher& matcher);
  void keep(const char* bytes, size_t count);

  UniqueFd out_;
  UniqueFd error_;
  UniqueFd main_;
  LineMatcher out_matcher_;
  LineMatcher error_matcher_;
  foster_output_tail* tail_ = nullptr;
};

/// Becomes the service. Returns only when it cannot: with the exit code.
int become_service(const Options& options);

}  // namespace foster::tap
