#include "daemon/core/job_table.hpp"

#include <algorithm>
#include <iterator>

#include "common/check.hpp"

namespace foster::core {
namespace {

void push(UnitRecord& record, JobOutcome outcome) {
  std::move_backward(std::begin(record.job_outcomes), std::end(record.job_outcomes) - 1,
                     std::end(record.job_outcomes));
  record.job_outcomes[0] = outcome;
}

}  // namespace

const char* verb_text(Verb verb) {
  switch (verb) {
    case Verb::none:
      return "none";
    case Verb::start:
      return "start";
    case Verb::stop:
      return "stop";
    case Verb::restart:
      return "restart";
    case Verb::reload:
      return "reload";
    case Verb::reset:
      return "reset";
    case Verb::overlap:
      return "overlap";
  }
  FOSTER_CHECK(false);
}

bool JobTable::joins(const UnitRecord& record, Verb verb) {
  if (record.job_verb == Verb::none) return false;
  const bool restarts = record.job_verb == Verb::restart || record.job_verb == Verb::overlap;
  const bool brings_up = verb == Verb::start || verb == Verb::restart || verb == Verb::overlap;
  return record.job_verb == verb || (restarts && brings_up);
}

JobId JobTable::open(UnitRecord& record, Verb verb) {
  finish(record, JobResult::superseded);
  ++last_.value;
  record.job = last_;
  record.job_verb = verb;
  return last_;
}

JobId JobTable::do_at_once(UnitRecord& record) {
  ++last_.value;
  push(record, {last_, JobResult::done});
  return last_;
}

void JobTable::finish(UnitRecord& record, JobResult result) {
  if (record.job_verb == Verb::none) return;
  push(record, {record.job, result});
  record.job = {};
  record.job_verb = Verb::none;
}

}  // namespace foster::core
