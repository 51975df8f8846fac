#include "daemon/manager/control_door.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/un.h>

#include <vector>

namespace foster::manager {
namespace {

/// No descriptor can be had while it lives.
class NoDescriptors {
 public:
  NoDescriptors() {
    getrlimit(RLIMIT_NOFILE, &before_);
    const UniqueFd lowest_free(dup(STDIN_FILENO));
    const rlimit none{static_cast<rlim_t>(lowest_free.get()), before_.rlim_max};
    setrlimit(RLIMIT_NOFILE, &none);
  }
  ~NoDescriptors() { setrlimit(RLIMIT_NOFILE, &before_); }
  NoDescriptors(const NoDescriptors&) = delete;
  NoDescriptors& operator=(const NoDescriptors&) = delete;

 private:
  rlimit before_{};
};

class ControlDoorTest : public testing::Test {
 protected:
  ControlDoorTest() {
    sd_event_new(&loop_);
    UniqueFd listening(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const sockaddr_un any{AF_UNIX, {}};
    // A name of the kernel's choice (unix(7), autobind).
    bind(listening.get(), reinterpret_cast<const sockaddr*>(&any), sizeof any.sun_family);
    listen(listening.get(), 10);
    getsockname(listening.get(), reinterpret_cast<sockaddr*>(&address_), &length_);
    EXPECT_TRUE(door_.attach(loop_, std::move(listening)));
  }
  ~ControlDoorTest() override {
    door_.close();
    sd_event_unref(loop_);
  }

  [[nodiscard]] UniqueFd client() const {
    UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    EXPECT_EQ(connect(fd.get(), reinterpret_cast<const sockaddr*>(&address_), length_), 0);
    return fd;
  }

  /// Whether the loop comes to rest.
  bool settles() {
    constexpr int kEnough = 20;
    int turns = 0;
    while (turns < kEnough && sd_event_run(loop_, 0) > 0)
      ++turns;
    return turns < kEnough;
  }

  static bool is_closed(const UniqueFd& fd) {
    char byte;
    return read(fd.get(), &byte, 1) == 0;
  }

  sd_event* loop_ = nullptr;
  sockaddr_un address_{};
  socklen_t length_ = sizeof address_;
  std::vector<UniqueFd> taken_;
  uid_t uid_ = 0;
  ControlDoor door_{[this](UniqueFd connection, const ucred& peer) -> Result<void> {
    uid_ = peer.uid;
    taken_.push_back(std::move(connection));
    return {};
  }};
};

TEST_F(ControlDoorTest, LetsInWhoeverComes) {
  uid_ = ~uid_t{0};
  const UniqueFd one = client();
  const UniqueFd other = client();
  EXPECT_TRUE(settles());
  EXPECT_EQ(taken_.size(), 2u);
  EXPECT_EQ(uid_, geteuid());
}

TEST_F(ControlDoorTest, RefusesWhomItHasNoDescriptorFor) {
  const UniqueFd early = client();
  EXPECT_TRUE(settles());
  const UniqueFd one = client();
  const UniqueFd other = client();
  {
    const NoDescriptors meanwhile;
    EXPECT_TRUE(settles()) << "the loop spins";
  }
  EXPECT_TRUE(is_closed(one));
  EXPECT_TRUE(is_closed(other));
  EXPECT_FALSE(is_closed(early));
  const UniqueFd late = client();
  EXPECT_TRUE(settles());
  EXPECT_EQ(taken_.size(), 2u);
}

}  // namespace
}  // namespace foster::manager
