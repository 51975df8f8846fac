// What the region's tests share: child processes, events between processes, bodies whose every byte
// follows from one number, and an instance's name that no other test has.
#pragma once

#include <cstdint>
#include <functional>
#include <gtest/gtest.h>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

#include "common/region/layout.h"
#include "common/region/reader.hpp"
#include "common/region/shared_object.hpp"
#include "common/region/writer.hpp"

namespace foster::region {

/// Far beyond anything that a busy machine needs; a wait that reaches it has failed.
inline constexpr int kDeadlineMs = 20'000;

[[nodiscard]] inline Instant far_deadline() {
  return now_since_boot() + std::chrono::milliseconds(kDeadlineMs);
}

/// An event that processes can wait for: an eventfd inherited by fork.
class SharedEvent {
 public:
  SharedEvent();
  void notify() const;
  /// Takes `count` notifications. False when they did not all come in time.
  [[nodiscard]] bool wait(uint64_t count = 1) const;

 private:
  UniqueFd fd_;
};

/// A forked child that runs `body` and exits with what it returns. It dies with the test, and at
/// the latest with this object.
class Child {
 public:
  explicit Child(const std::function<int()>& body);
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child();

  [[nodiscard]] pid_t pid() const { return pid_; }
  void signal(int number) const;
  /// Sends SIGSTOP and returns once the child is stopped.
  void stop() const;
  /// SIGKILL, and reaped when this returns.
  void kill_hard();
  /// The exit code; 128 + signal; -1 when it did not end in time.
  [[nodiscard]] int join();

 private:
  pid_t pid_ = -1;
};

/// Has the kernel kill this process (SIGKILL) after that time, wherever it is then: unlike a signal
/// from another process, whose moment the scheduler picks.
void die_after(Duration time);

/// Its words are made from `number` and the place of each, so two states cannot be mixed unseen.
[[nodiscard]] foster_slot_body patterned_body(uint64_t number);
/// The number, or nothing when any byte belongs to another one.
[[nodiscard]] std::optional<uint64_t> number_of(const foster_slot_body& body);

[[nodiscard]] foster_event numbered_event(int32_t value);

[[nodiscard]] std::vector<std::string> unit_names(int count, std::string_view prefix = "unit-");

/// The number of sleepers and the value of a semaphore, as semctl(2) tells.
[[nodiscard]] int semaphore_value(int id);
[[nodiscard]] bool semaphore_exists(int id);

/// "" when it worked, the error's message otherwise: for EXPECT_EQ(message_of(...), "").
template <class T>
[[nodiscard]] std::string message_of(const Result<T>& result) {
  return result ? std::string() : result.error().message;
}

class RegionTest : public testing::Test {
 protected:
  RegionTest();
  ~RegionTest() override;

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] std::string path() const { return "/dev/shm" + name_; }
  [[nodiscard]] WriterOptions options() const;
  /// This process is both keeper and manager.
  [[nodiscard]] OwnerFields owner() const;

  [[nodiscard]] Writer open_writer() const;
  [[nodiscard]] Writer open_writer(int units) const;
  [[nodiscard]] Reader open_reader() const;

 private:
  std::string name_;
};

void publish_number(Writer& writer, uint32_t slot, uint64_t number);

}  // namespace foster::region
