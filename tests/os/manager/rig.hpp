// What the parts of the manager's shell need around them: a loop, a keeper that takes what it is
// given, a core whose records a test sets, and the events that come of it all.
#pragma once

#include <gtest/gtest.h>
#include <systemd/sd-event.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/ipc/channel.hpp"
#include "daemon/core/supervisor.hpp"
#include "daemon/manager/keeper_client.hpp"

namespace foster::manager {

/// A folder of the test's own, removed with all that is in it.
struct TestFolder {
  TestFolder();
  ~TestFolder();
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;
  std::string path;
};

/// A forked process that does as it is told, reaped at the end.
class TestChild {
 public:
  explicit TestChild(const std::function<void()>& work);
  ~TestChild();
  TestChild(const TestChild&) = delete;
  TestChild& operator=(const TestChild&) = delete;
  [[nodiscard]] pid_t pid() const { return pid_; }
  int wait();

 private:
  pid_t pid_;
};

class Rig : public testing::Test {
 protected:
  Rig();
  ~Rig() override;

  /// The one unit, and what the core knows of it. The objects under test refer to core().
  void set_unit(UnitSpec unit, const core::UnitRecord& record);
  [[nodiscard]] const core::Supervisor& core() const { return *core_; }
  [[nodiscard]] std::function<void(core::Event)> queue();

  /// Lets the loop run until the condition holds; fails the test after a long while.
  void run_until(const std::function<bool()>& condition);
  /// Lets the loop do all there is to do at once.
  void run_what_is_ready();
  /// The events of a kind so far.
  template <class Kind>
  [[nodiscard]] std::vector<Kind> all() const {
    std::vector<Kind> found;
    for (const core::Event& event : events_)
      if (const auto* one = std::get_if<Kind>(&event)) found.push_back(*one);
    return found;
  }

  /// What the keeper holds now, as it would hand it to a successor.
  [[nodiscard]] std::vector<HandedDescriptor> kept();

  TestFolder folder_;
  sd_event* loop_ = nullptr;
  UniqueFd keeper_end_;
  std::unique_ptr<KeeperClient> keeper_;
  std::vector<core::Event> events_;

 private:
  void hear_manager();

  std::unique_ptr<core::Supervisor> core_;
  ipc::PacketReader reader_;
  std::vector<HandedDescriptor> held_;
};

}  // namespace foster::manager
