// The descriptors that fosterd is started with.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <iterator>

#include "tests/os/keeper/rig.hpp"

namespace foster::keeper_test {
namespace {

using protocol::Type;

/// What stands at the numbers 3 to 5 of fosterd: pipes whose other ends are the test's.
struct Pipes {
  Pipes() {
    for (size_t i = 0; i < std::size(out); ++i) {
      int ends[2];
      EXPECT_EQ(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
      out[i].reset(ends[0]);
      // Beyond all numbers that they are to have.
      in[i].reset(fcntl(ends[1], F_DUPFD_CLOEXEC, 100));
      close(ends[1]);
    }
  }

  /// `told`: $LISTEN_FDS and its kin. As PID 1, fosterd has a pid that is known before.
  Setting started_with(std::vector<std::string> told) {
    Setting setting;
    setting.environment = std::move(told);
    setting.as_init = true;
    setting.in_child = [this] {
      for (int i = 0; i < 3; ++i)
        dup2(in[i].get(), 3 + i);
    };
    return setting;
  }

  /// Whether the process has the end that was given to it.
  [[nodiscard]] bool held_by(pid_t process, size_t which) const {
    struct stat wanted {};
    EXPECT_EQ(fstat(out[which].get(), &wanted), 0);
    for (const auto& entry :
         std::filesystem::directory_iterator("/proc/" + std::to_string(process) + "/fd")) {
      struct stat found {};
      if (stat(entry.path().c_str(), &found) == 0 && found.st_ino == wanted.st_ino &&
          found.st_dev == wanted.st_dev)
        return true;
    }
    return false;
  }

  UniqueFd out[3];
  UniqueFd in[3];
};

/// By name, without what differs between two runs: the time.
std::vector<std::pair<std::string, int>> listened(const std::vector<Message>& handover) {
  std::vector<std::pair<std::string, int>> found;
  for (const Message& message : handover) {
    if (message.type != Type::stored_descriptor) continue;
    std::string name = message.as<protocol::StoredDescriptor>().name;
    const size_t time = name.find(':', std::strlen(protocol::kInheritedPrefix)) + 1;
    name.erase(time, name.find(':', time) - time);
    found.emplace_back(name, message.fds.at(0).get());
  }
  return found;
}

TEST(Inherited, IsKeptByNameForEveryManager) {
  Pipes pipes;
  Rig rig(pipes.started_with({"LISTEN_PID=1", "LISTEN_FDS=2", "LISTEN_FDNAMES=http:"}));
  auto first = rig.manager();
  const auto handover = first->take_handover();
  const auto found = listened(handover);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].first, "listen:0::http");
  EXPECT_EQ(found[1].first, "listen:1::unknown");
  EXPECT_EQ(write(found[1].second, "x", 1), 1);
  char byte = 0;
  EXPECT_EQ(read(pipes.out[1].get(), &byte, 1), 1);
  EXPECT_TRUE(pipes.held_by(rig.keeper(), 1));
  EXPECT_FALSE(pipes.held_by(rig.keeper(), 2)) << "what is not spoken of is closed";
  first->send_ready();
  first->spawn(probe(1, {"descriptors"}));
  EXPECT_EQ(rig.lines(), (std::vector<std::string>{"0", "1", "2"})) << "no service gets them";
  first->die();
  EXPECT_EQ(listened(rig.manager()->take_handover()).size(), 2u);
}

TEST(Inherited, CountsForTheProcessThatIsNamed) {
  for (const char* pid : {"LISTEN_PID=2", "LISTEN_PID=", "OTHER=1"}) {
    Pipes pipes;
    Rig rig(pipes.started_with({pid, "LISTEN_FDS=3", "LISTEN_FDNAMES=a:b:c"}));
    auto manager = rig.manager();
    EXPECT_TRUE(listened(manager->take_handover()).empty()) << pid;
    for (size_t i = 0; i < 3; ++i)
      EXPECT_FALSE(pipes.held_by(rig.keeper(), i)) << pid;
  }
}

TEST(Inherited, NonsenseIsNothing) {
  for (const char* count : {"LISTEN_FDS=-1", "LISTEN_FDS=x", "LISTEN_FDS=99999999999999999999"}) {
    Pipes pipes;
    Rig rig(pipes.started_with({"LISTEN_PID=1", count}));
    auto manager = rig.manager();
    EXPECT_TRUE(listened(manager->take_handover()).empty()) << count;
  }
}

TEST(Inherited, NumbersThatAreNotOpenArePassedOver) {
  Pipes pipes;
  Rig rig(pipes.started_with({"LISTEN_PID=1", "LISTEN_FDS=30", "LISTEN_FDNAMES=a:b:c:d"}));
  auto manager = rig.manager();
  const auto handover = manager->take_handover();
  const auto found = listened(handover);
  ASSERT_GE(found.size(), 3u);
  EXPECT_LT(found.size(), 30u);
  EXPECT_EQ(found[2].first, "listen:2::c");
}

}  // namespace
}  // namespace foster::keeper_test
