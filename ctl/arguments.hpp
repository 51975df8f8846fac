// The command line as values: what the verbs are given.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/instant.hpp"
#include "ctl/condition.hpp"

namespace foster::ctl {

/// A descriptor for a unit: one that is to be opened, or that we have inherited.
struct Offer {
  std::string listen;   // as in [[socket]]; checked
  int descriptor = -1;  // where there is nothing to open
  std::string name;     // empty: after the unit
};

struct Arguments {
  // Of every verb.
  std::string instance;     // --instance or $FOSTER_INSTANCE; empty: the caller's own
  std::string runtime_dir;  // --runtime-dir or $FOSTER_RUNTIME_DIR; empty: where it is by default
  bool no_color = false;

  // Of those that declare them (command_table.cpp).
  std::vector<std::string> names;      // units, as names or patterns; paths for `check`
  std::vector<std::string> calendars;  // events for `check`
  std::vector<std::string> units;      // where unit files are
  int signal = 0;
  uint32_t instances = 0;
  Condition condition = Condition::up;
  std::optional<Duration> timeout;
  size_t count = 0;                  // of events; 0: all
  std::vector<Offer> offers;         // of `pass`
  std::string descriptor;            // its name, of `drop`, `take` and `hand-up`
  std::vector<std::string> command;  // of `take`
  bool overlap = false;
  bool json = false;
  bool no_wait = false;
  bool quiet = false;
  bool follow = false;
  bool dot = false;
  bool reverse = false;
};

}  // namespace foster::ctl
