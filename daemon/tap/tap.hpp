// foster-tap stands between a service and the daemon's own output where someone has to see what the
// service says: for readiness by a line of output, and for the last lines that `why` shows. It is
// executed in the service's place, puts pipes where stdout and stderr were, leaves a process behind
// that reads them, and executes the service: which therefore has the pid, the group and the
// descriptors that it would have had without.
//
// The process that reads is nobody's child but the keeper's (it was forked twice) and in a session
// of its own, so that neither the service nor a signal to its group notices it. It ends when the
// last process that holds the pipes does.
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
  Reader(UniqueFd out, UniqueFd error, const Options& options);
  void run();

 private:
  bool pass_on(UniqueFd& from, int to, LineMatcher& matcher);
  void keep(const char* bytes, size_t count);

  UniqueFd out_;
  UniqueFd error_;
  LineMatcher out_matcher_;
  LineMatcher error_matcher_;
  foster_output_tail* tail_ = nullptr;
};

/// Becomes the service. Returns only when it cannot: with the exit code.
int become_service(const Options& options);

}  // namespace foster::tap
