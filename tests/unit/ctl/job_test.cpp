#include <gtest/gtest.h>

#include "ctl/change.hpp"

namespace foster::ctl {
namespace {

TEST(JobState, IsReadFromTheSlot) {
  foster_slot_body body{};
  EXPECT_EQ(job_state(body, 7), JobState::forgotten);
  body.job = 7 << 8 | 1;
  EXPECT_EQ(job_state(body, 7), JobState::pending);
  EXPECT_EQ(job_state(body, 6), JobState::forgotten);
  body.job_results[0] = 6 << 8 | FOSTER_JOB_SUPERSEDED;
  body.job_results[3] = 5 << 8 | FOSTER_JOB_DONE;
  EXPECT_EQ(job_state(body, 6), JobState::superseded);
  EXPECT_EQ(job_state(body, 5), JobState::done);
  body.job_results[1] = 4 << 8 | FOSTER_JOB_FAILED;
  EXPECT_EQ(job_state(body, 4), JobState::failed);
  body.job_results[2] = 3 << 8 | 99;
  EXPECT_EQ(job_state(body, 3), JobState::forgotten);
}

TEST(ParseJob, TakesUnitAndNumber) {
  const std::optional<PendingJob> job = parse_job("web\t72057594037927935");
  ASSERT_TRUE(job.has_value());
  EXPECT_EQ(job->unit, "web");
  EXPECT_EQ(job->job, 72057594037927935u);
  EXPECT_FALSE(parse_job("web").has_value());
  EXPECT_FALSE(parse_job("web\t").has_value());
  EXPECT_FALSE(parse_job("web\t5x").has_value());
}

}  // namespace
}  // namespace foster::ctl
