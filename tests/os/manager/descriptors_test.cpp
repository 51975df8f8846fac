#include "daemon/manager/descriptors.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstddef>
#include <iterator>

#include "common/listen/open_socket.hpp"
#include "tests/os/manager/rig.hpp"

namespace foster::manager {
namespace {

using core::ConnectionSeen;
using core::ListenFailed;
using core::UnitState;

UniqueFd memory(const char* text) {
  UniqueFd fd(memfd_create("test", MFD_CLOEXEC));
  EXPECT_EQ(write(fd.get(), text, std::strlen(text)), static_cast<ssize_t>(std::strlen(text)));
  return fd;
}

std::string text_of(int fd) {
  char text[100] = {};
  EXPECT_GE(pread(fd, text, sizeof text - 1, 0), 0);
  return text;
}

std::vector<UniqueFd> just(UniqueFd fd) {
  std::vector<UniqueFd> fds;
  fds.push_back(std::move(fd));
  return fds;
}

UniqueFd connected(uint16_t port) {
  UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    fd.reset();
  return fd;
}

SocketSpec unnamed_tcp() {
  SocketSpec socket;
  socket.listen = "tcp://127.0.0.1:0";
  return socket;
}

class HeldDescriptors : public Rig {
 protected:
  HeldDescriptors() {
    unit_.name = "web";
    DescriptorsSpec& spec = unit_.descriptors.make();
    spec.sockets.push_back(tcp("http"));
  }

  static SocketSpec tcp(const char* name) {
    SocketSpec socket = unnamed_tcp();
    socket.name = name;
    return socket;
  }

  /// A manager that finds the unit in this state, and what its predecessor left with the keeper.
  void begin(UnitState state, core::Goal goal = core::Goal::up) {
    held_.reset();
    record_.state = state;
    record_.goal = goal;
    record_.attempt = {1};
    record_.exit_attempt = {1};
    record_.pid = 0;
    if (state == UnitState::listening)
      unit_.descriptors.make().start_on = StartOn::first_connection;
    if (state == UnitState::backoff) {
      record_.failures = 1;
      record_.deadline = now_since_boot() + std::chrono::hours(1);
    }
    record_.was_up = state == UnitState::running;
    if (state == UnitState::running) {
      record_.exit_attempt = {0};
      record_.pid = getpid();
    }
    set_unit(unit_, record_);
    ASSERT_EQ(core().record({0}).state, state);
    held_ = std::make_unique<Descriptors>(*keeper_, core(), queue(),
                                          [this](UnitIndex) { ++counts_changed_; });
    std::vector<HandedDescriptor> found = kept();
    held_->attach(loop_, found);
    held_->resume();
  }

  SpawnExtras spawned(core::Role role = core::Role::main, Attempt attempt = {2}) {
    SpawnExtras extras;
    core::Spawn spawn{.unit = {0}, .attempt = attempt, .role = role};
    const auto added = held_->add_to(extras, spawn);
    EXPECT_TRUE(added) << (added ? "" : added.error().message);
    return extras;
  }

  static std::string value(const SpawnExtras& extras, const char* name) {
    const std::string* found = variable(extras.environment, name);
    return found != nullptr ? *found : "none";
  }

  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> found;
    for (const HeldView& view : held_->list({0}))
      found.push_back(std::string(origin_text(view.origin)) + " " + view.name);
    return found;
  }

  [[nodiscard]] uint16_t port() const { return held_->counts({0}).ports[0]; }

  UnitSpec unit_;
  core::UnitRecord record_;
  std::unique_ptr<Descriptors> held_;
  int counts_changed_ = 0;
};

using Names = std::vector<std::string>;

TEST_F(HeldDescriptors, SocketsPassedAndStoredInThisOrder) {
  begin(UnitState::running);
  held_->store({0}, "state", just(memory("stored")), false);
  ASSERT_TRUE(held_->pass({0}, "given", "uid 0, process 1", memory("passed")));
  SpawnExtras extras = spawned();
  EXPECT_EQ(value(extras, "LISTEN_FDS"), "3");
  EXPECT_EQ(value(extras, "LISTEN_FDNAMES"), "http:given:state");
  EXPECT_EQ(value(extras, "LISTEN_PID"), "0000000000");
  ASSERT_EQ(extras.descriptors.size(), 3u);
  EXPECT_TRUE(is_listening(extras.descriptors[0].fd.get()));
  EXPECT_EQ(text_of(extras.descriptors[1].fd.get()), "passed");
  EXPECT_EQ(text_of(extras.descriptors[2].fd.get()), "stored");
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(extras.descriptors[static_cast<size_t>(i)].number, 3 + i);
  EXPECT_EQ(free_number(extras), 6);
}

TEST_F(HeldDescriptors, ASuccessorGetsTheSameAndHooksNothing) {
  begin(UnitState::running);
  EXPECT_EQ(value(spawned(), "LISTEN_FDS"), "1");
  const uint16_t first = port();
  EXPECT_EQ(value(spawned(core::Role::successor), "LISTEN_FDS"), "1");
  EXPECT_EQ(port(), first);
  EXPECT_EQ(value(spawned(core::Role::pre_start), "LISTEN_FDS"), "none");
  EXPECT_EQ(value(spawned(core::Role::health_check), "LISTEN_FDS"), "none");
}

TEST_F(HeldDescriptors, AUnitWithoutAnyGetsNothing) {
  unit_.descriptors = Boxed<DescriptorsSpec>();
  begin(UnitState::running);
  SpawnExtras extras = spawned();
  EXPECT_TRUE(extras.descriptors.empty());
  EXPECT_TRUE(extras.environment.empty());
}

TEST_F(HeldDescriptors, ASuccessorManagerHasThemAll) {
  begin(UnitState::running);
  spawned();
  held_->store({0}, "b", just(memory("1")), false);
  held_->store({0}, "a", just(memory("2")), false);
  ASSERT_TRUE(held_->pass({0}, "given", "uid 7, process 8", memory("3")));
  const uint16_t before = port();
  const Names all{"socket http", "passed given", "stored b", "stored a"};
  EXPECT_EQ(names(), all);
  const auto since = held_->list({0})[1].since_real_ns;
  for (int i = 0; i < 3; ++i) {
    begin(UnitState::running);
    EXPECT_EQ(names(), all);
    EXPECT_EQ(port(), before);
    EXPECT_EQ(held_->list({0})[1].from, "uid 7, process 8");
    EXPECT_EQ(held_->list({0})[1].since_real_ns, since);
  }
  held_->store({0}, "c", just(memory("4")), false);
  EXPECT_EQ(names().back(), "stored c");
  EXPECT_EQ(kept().size(), 5u);
}

TEST_F(HeldDescriptors, ListeningIsWatchedUntilSomethingComes) {
  begin(UnitState::listening);
  EXPECT_GT(counts_changed_, 0);
  const UniqueFd client = connected(port());
  ASSERT_TRUE(client);
  run_until([this] { return !all<ConnectionSeen>().empty(); });
  run_what_is_ready();
  EXPECT_EQ(all<ConnectionSeen>().size(), 1u) << "it is told once";
  const std::vector<UnitIndex> changed{{0}};
  held_->units_changed(changed);
  run_until([this] { return all<ConnectionSeen>().size() == 2; });
}

TEST_F(HeldDescriptors, RunningIsNotWatched) {
  begin(UnitState::running);
  spawned();
  const UniqueFd client = connected(port());
  ASSERT_TRUE(client);
  run_what_is_ready();
  EXPECT_TRUE(all<ConnectionSeen>().empty());
}

TEST_F(HeldDescriptors, WhatCannotBeOpenedIsTold) {
  begin(UnitState::listening);
  const uint16_t taken = port();
  const UniqueFd other = held_->take({0}, "http").value();
  held_->units_changed({});
  begin(UnitState::stopped, core::Goal::down);
  EXPECT_TRUE(kept().empty());
  unit_.descriptors.make().sockets[0].listen = "tcp://127.0.0.1:" + std::to_string(taken);
  begin(UnitState::listening);
  ASSERT_EQ(all<ListenFailed>().size(), 1u);
  EXPECT_NE(all<ListenFailed>()[0].message.find("already in use"), std::string::npos);
  SpawnExtras extras;
  const auto added = held_->add_to(extras, {.unit = {0}, .attempt = {2}, .role = core::Role::main});
  ASSERT_FALSE(added);
  EXPECT_EQ(added.error().system_error, EADDRINUSE);
}

TEST_F(HeldDescriptors, AtRestNothingIsLeftButWhatNoProcessHasHad) {
  begin(UnitState::running);
  spawned();
  held_->store({0}, "state", just(memory("1")), false);
  begin(UnitState::stopped, core::Goal::down);
  EXPECT_TRUE(names().empty());
  EXPECT_TRUE(kept().empty());
  ASSERT_TRUE(held_->pass({0}, "early", "", memory("2")));
  held_->units_changed(std::vector<UnitIndex>{{0}});
  EXPECT_EQ(names(), Names{"passed early"});
  begin(UnitState::stopped, core::Goal::down);
  EXPECT_EQ(names(), Names{"passed early"});
}

TEST_F(HeldDescriptors, FailedForGoodNothingIsLeft) {
  begin(UnitState::running);
  spawned();
  held_->store({0}, "state", just(memory("1")), false);
  const uint16_t before = port();
  begin(UnitState::failed);
  EXPECT_TRUE(names().empty());
  EXPECT_TRUE(kept().empty());
  EXPECT_FALSE(connected(before));
}

TEST_F(HeldDescriptors, WhatIsPassedForTheNextStartIsThereWhateverTheManagerDoes) {
  begin(UnitState::running);
  ASSERT_TRUE(held_->pass({0}, "next", "", memory("1")));
  begin(UnitState::running);
  begin(UnitState::stopped, core::Goal::down);
  EXPECT_EQ(names(), Names{"passed next"});
  spawned();  // which comes to nothing
  held_->units_changed(std::vector<UnitIndex>{{0}});
  EXPECT_EQ(names(), Names{"passed next"});
}

TEST_F(HeldDescriptors, WhatAProcessHasHadIsKnownToTheNextManager) {
  begin(UnitState::running);
  ASSERT_TRUE(held_->pass({0}, "next", "", memory("1")));
  record_.running = now_since_boot();
  begin(UnitState::running);
  spawned(core::Role::main, record_.attempt);
  held_->units_changed(std::vector<UnitIndex>{{0}});
  begin(UnitState::running);
  EXPECT_EQ(names(), (Names{"socket http", "passed next"}));
  begin(UnitState::stopped, core::Goal::down);
  EXPECT_TRUE(names().empty());
}

TEST_F(HeldDescriptors, AnotherNameIsTheSameSocket) {
  begin(UnitState::running);
  spawned();
  const uint16_t before = port();
  unit_.descriptors.make().sockets[0].name = "web";
  begin(UnitState::running);
  EXPECT_EQ(names(), Names{"socket web"});
  EXPECT_EQ(port(), before);
  begin(UnitState::running);
  EXPECT_EQ(names(), Names{"socket web"});
  EXPECT_EQ(kept().size(), 1u);
}

TEST_F(HeldDescriptors, AFifoThatWasThereStays) {
  const std::string path = folder_.path + "/f";
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  SocketSpec& socket = unit_.descriptors.make().sockets[0];
  socket.kind = SocketKind::fifo;
  socket.listen = "fifo://" + path;
  begin(UnitState::running);
  spawned();
  begin(UnitState::running);
  begin(UnitState::stopped, core::Goal::down);
  EXPECT_TRUE(kept().empty());
  EXPECT_EQ(access(path.c_str(), F_OK), 0);
}

TEST_F(HeldDescriptors, WhatIsHandedUpIsNotClosedAnyMoreNorItsFileRemoved) {
  const std::string path = folder_.path + "/x";
  SocketSpec& socket = unit_.descriptors.make().sockets[0];
  socket.kind = SocketKind::unix_stream;
  socket.listen = "unix://" + path;
  begin(UnitState::running);
  spawned();
  held_->handed_up({0}, "http");
  EXPECT_EQ(names(), Names{"inherited http"});
  begin(UnitState::running);
  EXPECT_EQ(names(), Names{"inherited http"});
  begin(UnitState::stopped, core::Goal::down);
  EXPECT_EQ(kept().size(), 1u);
  EXPECT_EQ(access(path.c_str(), F_OK), 0);
  begin(UnitState::running);
  EXPECT_EQ(names(), Names{"inherited http"});
}

TEST_F(HeldDescriptors, WhoeverHasTheChannelOfAnEndedProcessIsNotTheService) {
  unit_.descriptors.make().receive_live = true;
  begin(UnitState::running);
  const SpawnExtras inherited_by_others = spawned();
  EXPECT_TRUE(held_->pass({0}, "live", "", memory("1")).value());
  begin(UnitState::stopped, core::Goal::down);
  EXPECT_FALSE(held_->pass({0}, "later", "", memory("1")).value());
  EXPECT_EQ(names(), Names{"passed later"});
}

/// As Docker's seccomp profile has it (seccomp(2)).
bool forbid_comparing() {
  sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_kcmp, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog filter{std::size(program), program};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

/// 0, or which of its expectations does not hold.
int compare_without_kcmp() {
  if (!forbid_comparing()) return 1;
  const UniqueFd file = memory("1");
  const UniqueFd copy(dup(file.get()));
  const UniqueFd other = memory("1");
  if (!same_open_file(file.get(), copy.get())) return 2;
  if (same_open_file(file.get(), other.get())) return 3;
  int ends[2];
  if (pipe(ends) != 0 || same_open_file(ends[0], ends[1])) return 4;
  const UniqueFd one = open_socket(unnamed_tcp()).value();
  const UniqueFd same(dup(one.get()));
  if (!same_open_file(one.get(), same.get())) return 5;
  const UniqueFd null(open("/dev/null", O_RDONLY));
  const UniqueFd again(open("/dev/null", O_RDONLY));
  return same_open_file(null.get(), again.get()) ? 6 : 0;
}

TEST(SameOpenFile, WithoutComparingDescriptors) {
  TestChild child([] { _exit(compare_without_kcmp()); });
  EXPECT_EQ(WEXITSTATUS(child.wait()), 0);
}

TEST_F(HeldDescriptors, NeverIsDroppedBetweenTwoProcesses) {
  unit_.descriptors.make().store_preserve = StorePreserve::never;
  begin(UnitState::running);
  spawned();
  held_->store({0}, "state", just(memory("1")), false);
  EXPECT_EQ(value(spawned(core::Role::successor), "LISTEN_FDNAMES"), "http:state");
  EXPECT_EQ(value(spawned(), "LISTEN_FDNAMES"), "http");
  held_->store({0}, "state", just(memory("1")), false);
  begin(UnitState::backoff);
  EXPECT_EQ(names(), Names{"socket http"});
}

TEST_F(HeldDescriptors, AlwaysIsKept) {
  unit_.descriptors.make().store_preserve = StorePreserve::always;
  begin(UnitState::running);
  held_->store({0}, "state", just(memory("1")), false);
  begin(UnitState::stopped, core::Goal::down);
  EXPECT_EQ(names(), Names{"stored state"});
  EXPECT_EQ(held_->drop({0}, "state"), 1u);
  EXPECT_TRUE(kept().empty());
}

TEST_F(HeldDescriptors, OfUnitsThatAreNoMoreNothingIsKept) {
  begin(UnitState::running);
  spawned();
  held_->store({0}, "state", just(memory("1")), false);
  unit_.name = "other";
  begin(UnitState::running);
  EXPECT_TRUE(names().empty());
  EXPECT_TRUE(kept().empty());
}

TEST_F(HeldDescriptors, ASocketThatTheFileDoesNotWantAnyMoreIsClosed) {
  const std::string path = folder_.path + "/x";
  SocketSpec& socket = unit_.descriptors.make().sockets[0];
  socket.kind = SocketKind::unix_stream;
  socket.listen = "unix://" + path;
  begin(UnitState::running);
  spawned();
  EXPECT_EQ(access(path.c_str(), F_OK), 0);
  unit_.descriptors.make().sockets[0] = tcp("http");
  begin(UnitState::running);
  EXPECT_EQ(names(), Names{"socket http"}) << "the process serves there";
  EXPECT_EQ(access(path.c_str(), F_OK), 0);
  EXPECT_EQ(value(spawned(core::Role::successor), "LISTEN_FDS"), "1");
  EXPECT_EQ(names(), (Names{"socket http", "socket http"}));
  begin(UnitState::stopped, core::Goal::down);
  EXPECT_TRUE(names().empty());
  EXPECT_TRUE(kept().empty());
  EXPECT_NE(access(path.c_str(), F_OK), 0);
}

TEST_F(HeldDescriptors, InheritedIsClaimedByNameAndAddress) {
  unit_.descriptors.make().sockets.push_back(tcp("other"));
  const UniqueFd above = open_socket(tcp("http")).value();
  for (const char* name : {"listen:0:1:nobody", "listen:1:1:http"})
    keeper_->store(name, above.get());
  keeper_->store("listen:2:1:other", memory("no socket").get());
  begin(UnitState::running);
  spawned();
  EXPECT_EQ(names(), (Names{"inherited http", "socket other"}));
  EXPECT_EQ(port(), bound_port(above.get()));
  begin(UnitState::stopped, core::Goal::down);
  EXPECT_EQ(kept().size(), 3u) << "they are not foster's to close";
  begin(UnitState::running);
  spawned();
  EXPECT_EQ(port(), bound_port(above.get()));
}

TEST_F(HeldDescriptors, StoredOnceByTheSameNameAndFile) {
  begin(UnitState::running);
  const UniqueFd file = memory("1");
  for (const char* name : {"a", "a", "b"})
    held_->store({0}, name, just(UniqueFd(dup(file.get()))), true);
  EXPECT_EQ(names(), (Names{"stored a", "stored b"}));
  held_->store({0}, "a", just(memory("1")), true);
  EXPECT_EQ(names(), (Names{"stored a", "stored b", "stored a"}));
  held_->store_remove({0}, "a");
  EXPECT_EQ(names(), Names{"stored b"});
}

TEST_F(HeldDescriptors, WhatHangsUpIsDroppedByASuccessorToo) {
  begin(UnitState::running);
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  held_->store({0}, "polled", just(UniqueFd(ends[0])), true);
  held_->store({0}, "not", just(UniqueFd(dup(ends[0]))), false);
  begin(UnitState::running);
  close(ends[1]);
  run_until([this] { return held_->counts({0}).others == 1; });
  EXPECT_EQ(names(), Names{"stored not"});
  EXPECT_EQ(kept().size(), 1u);
}

TEST_F(HeldDescriptors, TheMaximumHolds) {
  unit_.descriptors.make().store_max = 2;
  begin(UnitState::running);
  std::vector<UniqueFd> three;
  for (const char* text : {"1", "2", "3"})
    three.push_back(memory(text));
  held_->store({0}, "a", std::move(three), false);
  EXPECT_EQ(names(), (Names{"stored a", "stored a"}));
  EXPECT_EQ(text_of(held_->take({0}, "a").value().get()), "1");
}

TEST_F(HeldDescriptors, AUnitHasNoMoreThanAStartCanPassOn) {
  begin(UnitState::running);
  Result<bool> passed = false;
  size_t count = 0;
  for (; passed && count <= protocol::kSpawnDescriptorsMax; ++count) {
    passed = held_->pass({0}, "n", "", memory("x"));
    static_cast<void>(kept());  // the keeper takes what it is given
  }
  ASSERT_FALSE(passed);
  EXPECT_EQ(passed.error().system_error, EMFILE);
  EXPECT_LT(count, protocol::kSpawnDescriptorsMax);
}

TEST_F(HeldDescriptors, RefusalsOfNames) {
  begin(UnitState::running);
  EXPECT_EQ(held_->pass({0}, "a:b", "", memory("x")).error().system_error, EINVAL);
  EXPECT_EQ(held_->take({0}, "none").error().system_error, ENOENT);
  EXPECT_EQ(held_->drop({0}, "none"), 0u);
  spawned();
  EXPECT_EQ(held_->drop({0}, "http"), 0u) << "a unit's own socket is not to be dropped";
  held_->store({0}, "a:b", just(memory("x")), false);
  held_->store({0}, "", {}, false);
  EXPECT_EQ(names(), (Names{"socket http", "stored stored"}));
}

}  // namespace
}  // namespace foster::manager
