#include "daemon/manager/notify_socket.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>

#include "tests/os/manager/rig.hpp"

namespace foster::manager {
namespace {

using core::Notified;
using core::Step;
using core::UnitState;

constexpr char kInstance[] = "test";

/// As sd_notify(3) does it: a datagram, perhaps with a descriptor.
bool send_message(const std::string& path, std::string_view text, int descriptor = -1) {
  const UniqueFd fd(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  std::string bytes(text);
  iovec part{bytes.data(), bytes.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr message{};
  message.msg_name = &address;
  message.msg_namelen = sizeof address;
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (descriptor >= 0) {
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
  }
  return sendmsg(fd.get(), &message, 0) == static_cast<ssize_t>(bytes.size());
}

int open_descriptors() {
  int count = 0;
  for (int fd = 0; fd < 1024; ++fd)
    count += fcntl(fd, F_GETFD) >= 0 ? 1 : 0;
  return count;
}

class Notify : public Rig {
 protected:
  /// The unit's main process is this test itself, unless another is given.
  void make(NotifyAccess access, int32_t main_pid = getpid()) {
    unit_.name = "web";
    unit_.type = ServiceType::notify;
    unit_.notify_access = access;
    record_.goal = core::Goal::up;
    record_.state = UnitState::running;
    record_.was_up = true;
    record_.attempt = {7};
    record_.pid = main_pid;
    begin();
  }

  void begin() {
    set_unit(unit_, record_);
    ASSERT_EQ(core().record({0}).pid, record_.pid) << "the core takes the record as it is";
    sockets_ = std::make_unique<NotifySockets>(
        *keeper_, core(),
        NotifySockets::Surroundings{
            folder_.path, kInstance, queue(),
            [this](UnitIndex, const StoreWish& said, std::vector<UniqueFd> fds) {
              wishes_.push_back({said, std::move(fds)});
            }});
    std::vector<HandedDescriptor> found = kept();
    ASSERT_TRUE(sockets_->attach(loop_, found));
    ASSERT_TRUE(sockets_->open({0}));
    path_ = notify_socket_path(folder_.path, unit_.name);
  }

  [[nodiscard]] std::string path_of(const char* unit) const {
    return notify_socket_path(folder_.path, unit);
  }

  /// The first half of a turn: something is dispatched, if there is anything.
  void look() { EXPECT_GE(sd_event_run(loop_, 0), 0); }

  /// One turn of the manager's loop; the messages that came of it.
  size_t turn() {
    const size_t before = events_.size();
    look();
    sockets_->turn_ended();
    return events_.size() - before;
  }

  void turn_until(size_t count) {
    while (events_.size() < count) {
      ASSERT_GT(sd_event_run(loop_, 60'000'000), 0) << "waited in vain";
      sockets_->turn_ended();
    }
  }

  struct Wish {
    StoreWish said;
    std::vector<UniqueFd> fds;
  };

  UnitSpec unit_;
  core::UnitRecord record_;
  std::vector<Wish> wishes_;
  std::unique_ptr<NotifySockets> sockets_;
  std::string path_;
};

TEST_F(Notify, EverybodyMaySendAndThePathIsShort) {
  unit_.name = std::string(95, 'x');
  make(NotifyAccess::main);
  struct stat found {};
  ASSERT_EQ(stat(path_.c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777, 0666u);
  ASSERT_EQ(stat((folder_.path + "/notify").c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777, 0755u);
  EXPECT_EQ(path_.size(), folder_.path.size() + strlen("/notify/") + 16);
}

TEST_F(Notify, AMessageOfTheMainProcessBecomesAnEvent) {
  make(NotifyAccess::main);
  ASSERT_TRUE(send_message(path_, "READY=1\nSTATUS=up"));
  EXPECT_EQ(turn(), 1u);
  const auto said = all<Notified>().at(0);
  EXPECT_TRUE(said.ready);
  EXPECT_EQ(said.status_text, "up");
  EXPECT_EQ(turn(), 0u) << "the message is taken away with the turn";
}

TEST_F(Notify, OneMessageATurnInTheirOrder) {
  make(NotifyAccess::main);
  for (const char* text : {"STATUS=1", "STATUS=2", "STATUS=3"})
    ASSERT_TRUE(send_message(path_, text));
  for (const char* text : {"1", "2", "3"}) {
    EXPECT_EQ(turn(), 1u);
    EXPECT_EQ(all<Notified>().back().status_text, text);
  }
}

TEST_F(Notify, ASuccessorHearsWhatWasNotHandled) {
  make(NotifyAccess::main);
  ASSERT_TRUE(send_message(path_, "STATUS=1"));
  ASSERT_TRUE(send_message(path_, "STATUS=2"));
  EXPECT_EQ(turn(), 1u);
  look();  // the second one was seen, and the manager dies before the turn ends
  ASSERT_EQ(all<Notified>().size(), 2u);
  events_.clear();
  sockets_.reset();
  begin();
  EXPECT_EQ(turn(), 1u);
  EXPECT_EQ(all<Notified>().at(0).status_text, "2");
}

TEST_F(Notify, SocketsOfUnitsThatAreNoMoreAreGivenUp) {
  make(NotifyAccess::main);
  ASSERT_EQ(kept().size(), 1u);
  const std::string old_path = path_;
  sockets_.reset();
  unit_.name = "other";
  begin();
  ASSERT_EQ(kept().size(), 1u);
  EXPECT_NE(path_, old_path);
  EXPECT_NE(access(old_path.c_str(), F_OK), 0);
  sockets_->remove();
  EXPECT_NE(access((folder_.path + "/notify").c_str(), F_OK), 0);
}

TEST_F(Notify, AStrangerIsNotHeeded) {
  make(NotifyAccess::main);
  TestChild stranger([&] { send_message(path_, "READY=1"); });
  EXPECT_EQ(stranger.wait(), 0);
  EXPECT_EQ(turn(), 0u);
  ASSERT_TRUE(send_message(path_, "READY=1"));
  EXPECT_EQ(turn(), 1u) << "what comes after it is";
}

TEST_F(Notify, AllMeansTheGroup) {
  int go[2];
  ASSERT_EQ(pipe2(go, O_CLOEXEC), 0);
  UniqueFd release(go[1]);
  TestChild leader([&] {
    close(go[1]);
    setsid();
    if (fork() == 0) {
      char byte = 0;
      if (read(go[0], &byte, 1) == 0) send_message(path_of("web"), "STATUS=worker");
    }
    pause();
  });
  close(go[0]);
  make(NotifyAccess::all, leader.pid());
  release.reset();
  turn_until(1);
  EXPECT_EQ(all<Notified>().at(0).status_text, "worker");
  kill(-leader.pid(), SIGKILL);
}

TEST_F(Notify, AllBelievesOneThatHasEnded) {
  make(NotifyAccess::all, 1);
  TestChild sender([&] { send_message(path_, "READY=1"); });
  EXPECT_EQ(sender.wait(), 0);
  EXPECT_EQ(turn(), 1u) << "systemd-notify ends at once";
}

TEST_F(Notify, AMessageWaitsForThePidOfItsSender) {
  unit_.name = "web";
  unit_.type = ServiceType::notify;
  record_.goal = core::Goal::up;
  record_.state = UnitState::starting;
  record_.step = Step::command;
  record_.cause = core::Cause::boot;
  record_.attempt = {7};
  begin();
  ASSERT_TRUE(send_message(path_, "READY=1"));
  EXPECT_EQ(turn(), 0u);
  EXPECT_EQ(turn(), 0u);
  EXPECT_EQ(sd_event_run(loop_, 0), 0) << "nobody spins meanwhile";
  sockets_->drain({0}, {7}, getpid());
  EXPECT_EQ(all<Notified>().size(), 1u) << "it is heard when the end of its sender is known";
}

TEST_F(Notify, WhatWasSaidBeforeTheEndComesFirst) {
  make(NotifyAccess::main);
  for (const char* text : {"STATUS=1", "STATUS=2", "STATUS=3"})
    ASSERT_TRUE(send_message(path_, text));
  look();  // one is seen in this turn already
  sockets_->drain({0}, {7}, getpid());
  ASSERT_EQ(all<Notified>().size(), 3u);
  EXPECT_EQ(all<Notified>().back().status_text, "3");
  EXPECT_EQ(turn(), 0u);
  ASSERT_TRUE(send_message(path_, "STATUS=4"));
  EXPECT_EQ(turn(), 1u);
}

TEST_F(Notify, ABarrierOpensOnceAllBeforeItIsHandled) {
  make(NotifyAccess::main);
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  UniqueFd reading(ends[0]);
  ASSERT_TRUE(send_message(path_, "STATUS=before"));
  ASSERT_TRUE(send_message(path_, "BARRIER=1", ends[1]));
  close(ends[1]);
  pollfd open{reading.get(), 0, 0};
  EXPECT_EQ(turn(), 1u);
  EXPECT_EQ(poll(&open, 1, 0), 0);
  look();
  EXPECT_EQ(poll(&open, 1, 0), 0) << "not before the turn is over";
  sockets_->turn_ended();
  EXPECT_EQ(poll(&open, 1, 0), 1);
  EXPECT_NE(open.revents & POLLHUP, 0);
}

TEST_F(Notify, DescriptorsThatAreNotToBeStoredDoNotComeIn) {
  make(NotifyAccess::main);
  const int before = open_descriptors();
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(send_message(path_, "STATUS=x", STDERR_FILENO));
    EXPECT_EQ(turn(), 1u);
  }
  EXPECT_EQ(open_descriptors(), before);
  EXPECT_TRUE(wishes_.empty());
}

TEST_F(Notify, WhatIsToBeStoredComesAsACopyAndAgainToASuccessor) {
  make(NotifyAccess::main);
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const UniqueFd out(ends[0]);
  UniqueFd in(ends[1]);
  ASSERT_TRUE(send_message(path_, "FDSTORE=1\nFDNAME=x\nFDPOLL=0", in.get()));
  look();  // and the manager dies
  sockets_.reset();
  begin();
  EXPECT_EQ(turn(), 0u) << "it says nothing else";
  ASSERT_EQ(wishes_.size(), 2u);
  for (const Wish& wish : wishes_) {
    EXPECT_TRUE(wish.said.store);
    EXPECT_EQ(wish.said.name, "x");
    EXPECT_FALSE(wish.said.poll);
    EXPECT_EQ(wish.fds.size(), 1u);
  }
  in.reset();
  EXPECT_EQ(write(wishes_[1].fds[0].get(), "y", 1), 1);
  wishes_.clear();
  char byte = 0;
  EXPECT_EQ(read(out.get(), &byte, 1), 1);
  EXPECT_EQ(read(out.get(), &byte, 1), 0) << "nothing is kept of it in the queue";
}

TEST_F(Notify, AStrangerStoresNothing) {
  make(NotifyAccess::main);
  TestChild stranger([&] { send_message(path_, "FDSTORE=1", STDERR_FILENO); });
  EXPECT_EQ(stranger.wait(), 0);
  EXPECT_EQ(turn(), 0u);
  EXPECT_TRUE(wishes_.empty());
}

TEST_F(Notify, AMessageThatIsTooLongIsDroppedWhole) {
  make(NotifyAccess::main);
  ASSERT_TRUE(send_message(path_, "READY=1\n" + std::string(10'000, 'x')));
  EXPECT_EQ(turn(), 0u);
  ASSERT_TRUE(send_message(path_, "READY=1\nX=" + std::string(8'000, 'x')));
  EXPECT_EQ(turn(), 1u);
}

TEST_F(Notify, AnEmptyMessageIsNoEnd) {
  make(NotifyAccess::main);
  ASSERT_TRUE(send_message(path_, ""));
  ASSERT_TRUE(send_message(path_, "READY=1"));
  EXPECT_EQ(turn() + turn(), 1u);
}

TEST_F(Notify, APathThatIsTooLongIsAnError) {
  make(NotifyAccess::main);
  NotifySockets far(*keeper_, core(), {std::string(100, 'y'), kInstance, queue()});
  std::vector<HandedDescriptor> none;
  ASSERT_TRUE(far.attach(loop_, none));
  const auto opened = far.open({0});
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().message.find("longer than a socket's address"), std::string::npos);
}

}  // namespace
}  // namespace foster::manager
