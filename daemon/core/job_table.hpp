// Requests as things to wait for. A unit has at most one job at a time, kept in its record. The
// same verb again joins the job under way, and so does a start while a restart is under way, which
// ends up where a start wants to be. Any other verb takes its place: the old job is `superseded`.
// Every job finishes exactly once; the latest outcomes stay in the record.
#pragma once

#include "daemon/core/unit_state.hpp"

namespace foster::core {

[[nodiscard]] const char* verb_text(Verb verb);

class JobTable {
 public:
  /// Numbers up to this one have been given out.
  void resume_after(JobId last) { last_ = last; }
  [[nodiscard]] JobId last() const { return last_; }

  /// Whether a request with this verb has nothing to add to the job under way.
  [[nodiscard]] static bool joins(const UnitRecord& record, Verb verb);

  /// A new job in the unit's record; one under way is superseded.
  JobId open(UnitRecord& record, Verb verb);

  /// A job that is done in the moment it is asked for, and leaves the one under way alone.
  JobId do_at_once(UnitRecord& record);

  /// Ends the job under way, if there is one.
  static void finish(UnitRecord& record, JobResult result);

 private:
  JobId last_;
};

}  // namespace foster::core
