// The manager comes and goes; the services do not notice.
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <filesystem>
#include <fstream>

#include "tests/os/keeper/rig.hpp"

namespace foster::keeper_test {
namespace {

using protocol::Type;

TEST(ManagerLife, ItsExitCodeIsTheKeepersBeforeAnythingRuns) {
  Rig rig({.arguments = {"exit", "3"}});
  EXPECT_EQ(rig.end_status(), 3 << 8);
  Rig another;
  auto manager = another.manager();
  manager->exit(0);
  EXPECT_EQ(another.end_status(), 0);
}

TEST(ManagerLife, AMissingManagerIsNamed) {
  Rig rig({.without_manager = true});
  EXPECT_EQ(rig.end_status(), 127 << 8);
  EXPECT_EQ(rig.log_line(), "fosterd: cannot execute foster-manager: No such file or directory");
}

TEST(ManagerLife, KilledBeforeItServesItIsTriedAgainUpToFiveTimes) {
  Rig rig;
  for (int i = 0; i < 6; ++i) {
    auto manager = rig.manager();
    ASSERT_NE(manager, nullptr);
    manager->die();
  }
  EXPECT_EQ(rig.end_status(), 70 << 8);
  EXPECT_TRUE(rig.logged("the manager cannot start: killed each time tries=6 signal=9"));
}

TEST(ManagerLife, AfterItHasServedEvenAnExitIsMadeGood) {
  Rig rig;
  auto first = rig.serving_manager();
  first->exit(1);
  auto second = rig.manager();
  ASSERT_NE(second, nullptr);
  second->exit(1);
  EXPECT_NE(rig.manager(), nullptr);
  EXPECT_TRUE(rig.keeper_runs());
}

TEST(ManagerLife, ServicesRunOnWhileNoManagerCanStart) {
  Rig rig;
  auto first = rig.serving_manager();
  first->spawn(probe(1, {"stay"}));
  const auto spawned = first->expect_body<protocol::Spawned>(Type::spawned);
  EXPECT_EQ(rig.line(), "here");
  std::filesystem::rename(rig.folder() + "/foster-manager", rig.folder() + "/away");
  first->die();
  EXPECT_TRUE(rig.logged("cannot execute foster-manager"));
  EXPECT_TRUE(rig.logged("cannot execute foster-manager")) << "it has to be tried again";
  EXPECT_TRUE(alive(spawned.pid));
  EXPECT_TRUE(rig.keeper_runs());
  std::filesystem::rename(rig.folder() + "/away", rig.folder() + "/foster-manager");
  auto next = rig.manager();
  ASSERT_NE(next, nullptr);
  next->take_handover();
  EXPECT_EQ(next->expect_body<protocol::Spawned>(Type::spawned).pid, spawned.pid);
}

TEST(ManagerLife, OneThatStartsItselfAfreshIsNotPutOff) {
  constexpr uint32_t kTimes = 8;  // a crash each time would mean pauses of seconds by now
  Rig rig;
  auto manager = rig.serving_manager();
  manager->spawn(probe(1, {"stay"}));
  manager->expect(Type::spawned);
  for (uint32_t i = 1; i <= kTimes; ++i) {
    manager->send_bytes(Type::again, {});
    manager->exit(0);
    EXPECT_EQ(rig.log_line().find("in_ms"), std::string::npos);
    manager = rig.manager();
    const auto told = manager->take_handover();
    EXPECT_EQ(told.front().as<protocol::HandoverBegin>().manager_restarts, i);
    EXPECT_TRUE(rig.logged("manager started"));
    manager->send_ready();
    manager->expect(Type::spawned);
  }
  EXPECT_TRUE(rig.keeper_runs());
}

TEST(ManagerLife, OneThatNeverServedCannotStartItselfAfresh) {
  Rig rig;
  auto manager = rig.manager();
  manager->take_handover();
  manager->send_bytes(Type::again, {});
  manager->exit(7);
  EXPECT_EQ(rig.end_status(), 7 << 8);
}

TEST(ManagerLife, PausesGrowForOneThatDiesYoung) {
  Rig rig;
  for (int i = 0; i < 4; ++i) {
    auto manager = rig.manager();
    manager->take_handover();
    manager->send_ready();
    // The answer to this shows that the keeper has read `ready`.
    manager->spawn(probe(static_cast<uint64_t>(i) + 1, {"exit"}));
    while (manager->next().type != Type::exited)
      continue;
    manager->die();
  }
  for (const char* pause : {"in_ms=10", "in_ms=20", "in_ms=40", "in_ms=80"})
    EXPECT_TRUE(rig.logged(pause));
}

TEST(ManagerLife, OneThatHangsUpAndStaysIsReplaced) {
  Rig rig;
  auto first = rig.serving_manager();
  first->hang_up();
  EXPECT_TRUE(rig.logged("manager hung up and did not end, killing it"));
  EXPECT_NE(rig.manager(), nullptr);
}

TEST(ManagerLife, NonsenseIsLoggedAndDropped) {
  Rig rig;
  auto manager = rig.serving_manager();
  manager->send_bytes(Type::kill, "short");
  EXPECT_TRUE(rig.logged("malformed record from the manager dropped type=4 size=5"));
  manager->send_bytes(static_cast<Type>(999), {});
  EXPECT_TRUE(rig.logged("malformed record from the manager dropped type=999"));
  manager->send_bytes(Type::exited, {});
  EXPECT_TRUE(rig.logged("malformed record from the manager dropped type=70"));
  manager->send(Type::store_descriptor, protocol::StoredDescriptor{"none"});
  EXPECT_TRUE(rig.logged("malformed record from the manager dropped type=6"));
  manager->send_bytes(Type::barrier, {});
  EXPECT_TRUE(rig.logged("malformed record from the manager dropped type=13"));
  ASSERT_EQ(send(manager->channel(), "\x01", 1, 0), 1);
  EXPECT_TRUE(rig.logged("malformed packet from the manager dropped"));
  const uint32_t lies[2] = {4096, 2};
  ASSERT_EQ(send(manager->channel(), lies, sizeof lies, 0), 8);
  EXPECT_TRUE(rig.logged("malformed packet from the manager dropped"));
  manager->send(Type::drop_descriptor, protocol::StoredDescriptor{"unknown"});
  manager->acknowledge(12345);
  manager->kill(12345, SIGTERM);
  EXPECT_TRUE(rig.logged("signal for an unknown attempt dropped attempt=12345"));
  manager->spawn(probe(1, {"stay"}));
  EXPECT_EQ(rig.line(), "here");
}

TEST(ManagerLife, OneWhoseOrderThereIsNoMemoryForIsReplaced) {
  Rig rig;
  auto first = rig.serving_manager();
  constexpr uint64_t kFirstCapacity = 64;  // of the keeper's table
  Plan plan = probe(1, {});
  plan.program = "/nonexistent";
  for (; plan.attempt <= kFirstCapacity; ++plan.attempt) {
    first->spawn(plan);
    first->expect(Type::spawn_failed);
  }
  rlimit before{};
  const rlimit nothing{0, RLIM_INFINITY};
  ASSERT_EQ(prlimit(rig.keeper(), RLIMIT_AS, &nothing, &before), 0);
  first->spawn(plan);
  EXPECT_TRUE(rig.logged("no room for an attempt that the manager asks for, killing it"));
  ASSERT_EQ(prlimit(rig.keeper(), RLIMIT_AS, &before, nullptr), 0);
  EXPECT_TRUE(ends(first->pid()));
  auto second = rig.manager();
  EXPECT_EQ(second->take_handover()[0].as<protocol::HandoverBegin>().last_attempt, kFirstCapacity);
}

/// The plan with some bytes changed; Step::plan is the answer, never a crash.
void expect_plan_refused(Manager& manager, const std::string& bytes) {
  manager.send_bytes(Type::spawn, bytes);
  const auto failed = manager.expect_body<protocol::SpawnFailed>(Type::spawn_failed);
  EXPECT_EQ(failed.step, protocol::Step::plan);
  EXPECT_EQ(failed.error, EINVAL);
  manager.acknowledge(failed.attempt);
}

TEST(ManagerLife, PlansThatDoNotAddUpFailAsSuch) {
  Rig rig;
  auto manager = rig.serving_manager();
  Plan plan = probe(7, {"stay"});
  plan.envp = {"A=1"};
  plan.groups = {1};
  const std::string good = plan.encoded();
  for (size_t size = sizeof(uint64_t); size < good.size(); ++size)
    expect_plan_refused(*manager, good.substr(0, size));
  expect_plan_refused(*manager, good + "x");
  for (size_t at = offsetof(protocol::SpawnPlan, group_count); at < sizeof(protocol::SpawnPlan);
       at += sizeof(uint32_t)) {
    if (at == offsetof(protocol::SpawnPlan, umask)) continue;
    for (const uint32_t lie : {0xffffffffU, 0x7fffffffU, 65535U, 5U}) {
      std::string bytes = good;
      std::memcpy(bytes.data() + at, &lie, sizeof lie);
      expect_plan_refused(*manager, bytes);
    }
  }
  for (const uint32_t lie : {0xffffffffU, 0x7fffffffU, 251U, 1U}) {
    std::string bytes = good;
    std::memcpy(bytes.data() + offsetof(protocol::SpawnPlan, fd_count), &lie, sizeof lie);
    expect_plan_refused(*manager, bytes);
  }
  plan.flags = protocol::kSetIds;
  plan.uid = static_cast<uid_t>(-1);  // would mean: stay root
  expect_plan_refused(*manager, plan.encoded());
  plan.uid = 0;
  plan.flags = 1U << 30;
  expect_plan_refused(*manager, plan.encoded());
  plan.flags = 0;
  plan.unit = std::string(protocol::kNameMax + 1, 'u');
  expect_plan_refused(*manager, plan.encoded());
  // Without an attempt there is nobody to answer.
  manager->send_bytes(Type::spawn, "shrt");
  EXPECT_TRUE(rig.logged("an impossible attempt was asked for and is dropped"));
  manager->spawn(probe(8, {"stay"}));
  EXPECT_EQ(rig.line(), "here");
  manager->spawn(probe(8, {"stay"}));
  EXPECT_TRUE(rig.logged("an impossible attempt was asked for and is dropped attempt=8"));
}

TEST(ManagerLife, AMemfdThatCannotBeReadFailsAsAPlan) {
  Rig rig;
  auto manager = rig.serving_manager();
  int ends_of_pipe[2];
  ASSERT_EQ(pipe2(ends_of_pipe, O_CLOEXEC), 0);
  manager->send(Type::spawn_in_memfd, protocol::SpawnInMemfd{5}, ends_of_pipe[0]);
  const auto failed = manager->expect_body<protocol::SpawnFailed>(Type::spawn_failed);
  EXPECT_EQ(failed.attempt, 5U);
  EXPECT_EQ(failed.step, protocol::Step::plan);
  close(ends_of_pipe[0]);
  close(ends_of_pipe[1]);
}

TEST(ManagerLife, TheSupervisorIsNotifiedByTheKeeper) {
  char folder[] = "/tmp/foster-notify.XXXXXX";
  ASSERT_NE(mkdtemp(folder), nullptr);
  const std::string path = std::string(folder) + "/notify";
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  const UniqueFd socket_fd(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(bind(socket_fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  const int on = 1;
  setsockopt(socket_fd.get(), SOL_SOCKET, SO_PASSCRED, &on, sizeof on);
  Rig rig({.environment = {"NOTIFY_SOCKET=" + path}});
  auto manager = rig.serving_manager();
  manager->send_bytes(Type::notify_supervisor, "READY=1\nSTATUS=well");
  char text[100] = {};
  iovec data{text, sizeof text};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(ucred))];
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  ASSERT_TRUE(readable(socket_fd.get()));
  ASSERT_GT(recvmsg(socket_fd.get(), &message, 0), 0);
  EXPECT_STREQ(text, "READY=1\nSTATUS=well");
  ucred sender{};
  std::memcpy(&sender, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof sender);
  EXPECT_EQ(sender.pid, rig.keeper());
  std::filesystem::remove_all(folder);
}

TEST(ManagerLife, ItRunsWithStandardDescriptorsClosed) {
  Rig rig({.in_child = [] {
    close(STDIN_FILENO);
    close(STDOUT_FILENO);
    close(STDERR_FILENO);
  }});
  auto manager = rig.serving_manager();
  const std::string folder = "/proc/" + std::to_string(rig.keeper()) + "/fd/";
  for (const char* number : {"0", "1", "2"})
    EXPECT_EQ(std::filesystem::read_symlink(folder + number), "/dev/null");
  manager->spawn(probe(1, {"descriptors"}));
  manager->expect(Type::spawned);
  EXPECT_EQ(manager->expect_body<protocol::Exited>(Type::exited).wait_status, 0);
}

/// Makes stderr a pipe that nobody reads, filled to the brim.
void block_standard_error() {
  int full[2];
  if (pipe(full) != 0) _exit(94);
  fcntl(full[1], F_SETFL, O_NONBLOCK);
  const std::string bytes(4096, 'x');
  while (write(full[1], bytes.data(), bytes.size()) > 0)
    continue;
  fcntl(full[1], F_SETFL, 0);
  dup2(full[1], STDERR_FILENO);
  // Kept open for reading as standard input, so that it is full and not broken.
  dup2(full[0], STDIN_FILENO);
}

TEST(ManagerLife, AFullLogBlocksNothing) {
  Rig rig({.in_child = block_standard_error});
  auto manager = rig.serving_manager();
  for (int i = 0; i < 100; ++i)
    manager->send_bytes(Type::kill, "short");
  manager->spawn(probe(1, {"stay"}));
  manager->expect(Type::spawned);
}

}  // namespace
}  // namespace foster::keeper_test
