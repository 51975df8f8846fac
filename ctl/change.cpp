#include "ctl/change.hpp"

#include <algorithm>
#include <charconv>

#include "ctl/condition.hpp"
#include "ctl/daemon_watch.hpp"
#include "ctl/explanation.hpp"
#include "ctl/printable.hpp"
#include "ctl/reason.hpp"
#include "ctl/relations.hpp"
#include "ctl/render.hpp"
#include "ctl/requester.hpp"
#include "ctl/words.hpp"

namespace foster::ctl {
namespace {

bool ended_badly(const foster_slot_body& body) {
  return body.state == FOSTER_STATE_FAILED || body.state == FOSTER_STATE_BACKOFF;
}

/// Why it runs as before.
std::string reason_of(const foster_slot_body& body) {
  const std::string_view detail = field_text(body.detail, sizeof body.detail);
  return detail.empty() ? "the new process was not ready" : printable(detail);
}

std::optional<UnitView> view_of(const region::Reader& reader, const std::string& name) {
  const std::optional<uint32_t> slot = reader.find(name);
  if (!slot) return std::nullopt;
  Result<region::SlotView> view = reader.slot(*slot);
  if (!view) return std::nullopt;
  return Relations(reader).complete(std::move(*view));
}

/// The jobs that are waited for, and what has come of them so far.
class JobWait {
 public:
  JobWait(Session& session, const Arguments& arguments, const Change& change,
          std::vector<PendingJob> jobs)
      : session_(session), arguments_(arguments), change_(change), jobs_(std::move(jobs)) {}

  /// Tells what has ended since the last look. True when nothing is left to wait for.
  bool look(const region::Reader& reader) {
    std::erase_if(jobs_, [&](const PendingJob& job) { return settled(reader, job); });
    session_.out().flush();
    return jobs_.empty();
  }

  [[nodiscard]] ExitCode code() const { return code_; }

  [[nodiscard]] ExitCode given_up(Wake wake, const region::Reader& reader) {
    std::string names;
    for (const PendingJob& job : jobs_) {
      names += (names.empty() ? "" : ", ") + job.unit;
      if (const std::optional<UnitView> unit = view_of(reader, job.unit))
        names += " (" + state_text(*unit) + ")";
    }
    if (wake == Wake::timed_out)
      return session_.fail(ExitCode::timed_out, "timed out waiting for " + names);
    return session_.fail(ExitCode::no_daemon,
                         (wake == Wake::gone ? gone_text(reader) : "the daemon has ended") +
                             " while waiting for " + names);
  }

 private:
  bool settled(const region::Reader& reader, const PendingJob& job) {
    const std::optional<UnitView> unit = view_of(reader, job.unit);
    if (!unit) {
      fail(job.unit + " is not there any more");
      return true;
    }
    const JobState state = job_state(unit->body, job.job);
    if (state != JobState::pending) tell(reader, *unit, state);
    return state != JobState::pending;
  }

  void tell(const region::Reader& reader, const UnitView& unit, JobState state) {
    const std::string outcome = render_outcome(unit, present_clock());
    switch (state) {
      case JobState::pending:
        return;
      case JobState::done:
        // It may have ended again between the job's end and our look.
        if (change_.wants_up && ended_badly(unit.body)) return fail_because(reader, unit, outcome);
        if (arguments_.quiet) return;
        session_.out().line(change_.done.empty()
                                ? outcome
                                : printable(unit.name) + ": " + std::string(change_.done));
        return;
      case JobState::failed:
        if (!change_.goes_on.empty() && is_up(unit.body))
          return fail(printable(unit.name) + ": " + reason_of(unit.body) + "; " +
                      std::string(change_.goes_on));
        return fail_because(reader, unit, outcome);
      case JobState::superseded:
        return fail("a later request took this one's place; " + outcome);
      case JobState::forgotten:
        return fail("many requests came after this one, its outcome is not known; " + outcome);
    }
  }

  /// With what lies below it: who waits for another wants to know what keeps that one.
  void fail_because(const region::Reader& reader, const UnitView& unit,
                    const std::string& outcome) {
    fail(outcome);
    if (unit.blocker.empty()) return;
    const Step<UnitGraph> graph = session_.look_at_graph(reader);
    if (!graph) return;
    Explanation explanation = explain(*graph, unit.index, session_.look_at_daemon(reader));
    explanation.chain.erase(explanation.chain.begin());
    session_.complain_further(render_chain(explanation));
  }

  void fail(const std::string& message) { code_ = session_.fail(ExitCode::failed, message); }

  Session& session_;
  const Arguments& arguments_;
  const Change& change_;
  std::vector<PendingJob> jobs_;
  ExitCode code_ = ExitCode::done;
};

ExitCode wait_for_jobs(OpenRegion& region, JobWait& jobs, std::optional<Instant> until) {
  static_cast<void>(region.reader.refresh());
  if (jobs.look(region.reader)) return jobs.code();
  DaemonWatch watch(region.reader, region.id);
  for (;;) {
    const Wake wake = watch.sleep(until);
    if (wake != Wake::changed) return jobs.given_up(wake, region.reader);
    if (jobs.look(region.reader)) return jobs.code();
  }
}

std::optional<Instant> deadline_of(const Arguments& arguments) {
  if (!arguments.timeout) return std::nullopt;
  return now_since_boot() + *arguments.timeout;
}

}  // namespace

JobState job_state(const foster_slot_body& body, uint64_t job) {
  for (const uint64_t ended : body.job_results) {
    if (ended >> 8 != job) continue;
    switch (ended & 0xff) {
      case FOSTER_JOB_DONE:
        return JobState::done;
      case FOSTER_JOB_FAILED:
        return JobState::failed;
      case FOSTER_JOB_SUPERSEDED:
        return JobState::superseded;
      default:
        return JobState::forgotten;
    }
  }
  return body.job >> 8 == job ? JobState::pending : JobState::forgotten;
}

std::optional<PendingJob> parse_job(std::string_view line) {
  const size_t tab = line.find('\t');
  if (tab == std::string_view::npos) return std::nullopt;
  PendingJob job{std::string(line.substr(0, tab)), 0};
  const std::string_view number = line.substr(tab + 1);
  const char* end = number.data() + number.size();
  const auto [stop, error] = std::from_chars(number.data(), end, job.job);
  if (error != std::errc{} || stop != end) return std::nullopt;
  return job;
}

ExitCode run_change(Session& session, const Arguments& arguments, const Change& change) {
  const std::optional<Instant> until = deadline_of(arguments);
  Step<OpenRegion> region = session.open_region(arguments);
  if (!region) return region.error();
  const Step<std::vector<std::string>> lines =
      request(session, arguments, *region, {.method = change.method, .names = arguments.names});
  if (!lines) return lines.error();
  std::vector<PendingJob> jobs;
  for (const std::string& line : *lines) {
    std::optional<PendingJob> job = parse_job(line);
    if (!job) return session.fail(ExitCode::failed, "cannot understand the answer: " + line);
    if (arguments.no_wait && !arguments.quiet)
      session.out().line(printable(job->unit) + ": " + std::string(change.requested));
    jobs.push_back(std::move(*job));
  }
  if (arguments.no_wait) return ExitCode::done;
  JobWait wait(session, arguments, change, std::move(jobs));
  return wait_for_jobs(*region, wait, until);
}

}  // namespace foster::ctl
