// start, stop, restart, reload and reset: ask, then wait in the region until each unit's job has
// ended.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/region/layout.h"
#include "ctl/arguments.hpp"
#include "ctl/exit_code.hpp"
#include "ctl/session.hpp"

namespace foster::ctl {

/// What a slot tells of a job.
enum class JobState {
  pending,
  done,
  failed,
  superseded,
  forgotten,  // neither under way nor among the latest results
};

[[nodiscard]] JobState job_state(const foster_slot_body& body, uint64_t job);

struct PendingJob {
  std::string unit;
  uint64_t job = 0;
};

/// A line of foster-request's answer: "unit<TAB>job".
[[nodiscard]] std::optional<PendingJob> parse_job(std::string_view line);

struct Change {
  std::string_view method;     // of common/bus_api.hpp
  std::string_view requested;  // what --no-wait says: "start requested"
  bool wants_up = true;
  std::string_view done;     // what to say of a unit when it is; empty: its state
  std::string_view goes_on;  // what to say of a unit that is up though the change has failed
};

[[nodiscard]] ExitCode run_change(Session& session, const Arguments& arguments,
                                  const Change& change);

}  // namespace foster::ctl
