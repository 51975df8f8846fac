// What a new manager is told of what its predecessors left, and that nothing is lost between them.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/file.h>
#include <sys/socket.h>

#include <map>
#include <set>

#include "tests/os/keeper/rig.hpp"

namespace foster::keeper_test {
namespace {

using protocol::ChildPhase;
using protocol::Type;

std::map<uint64_t, protocol::Child> children_in(const std::vector<Message>& handover) {
  std::map<uint64_t, protocol::Child> children;
  for (const Message& message : handover) {
    if (message.type != Type::child) continue;
    const auto child = message.as<protocol::Child>();
    EXPECT_TRUE(children.emplace(child.attempt, child).second);
  }
  return children;
}

TEST(Handover, TheFirstManagerIsToldThatThereIsNothing) {
  Rig rig;
  auto manager = rig.manager();
  const auto messages = manager->take_handover();
  ASSERT_EQ(messages.size(), 2U);
  const auto begin = messages[0].as<protocol::HandoverBegin>();
  EXPECT_EQ(begin.version, protocol::kVersion);
  EXPECT_EQ(begin.manager_restarts, 0U);
  EXPECT_EQ(begin.last_attempt, 0U);
  EXPECT_EQ(begin.keeper_pid, rig.keeper());
  EXPECT_EQ(begin.is_init, 0U);
  EXPECT_EQ(messages[1].type, Type::handover_end);
}

TEST(Handover, InitSaysSo) {
  Rig rig({.as_init = true});
  auto manager = rig.manager();
  const auto begin = manager->take_handover()[0].as<protocol::HandoverBegin>();
  EXPECT_EQ(begin.keeper_pid, 1);
  EXPECT_EQ(begin.is_init, 1U);
}

TEST(Handover, EachAttemptIsToldWithItsPhase) {
  Rig rig;
  auto first = rig.serving_manager();
  first->spawn(probe(1, {"stay"}));
  EXPECT_EQ(rig.line(), "here");
  const auto running = first->expect_body<protocol::Spawned>(Type::spawned);
  first->kill(1, SIGCONT);
  first->spawn(probe(2, {"exit", "9"}));
  first->expect(Type::spawned);
  first->expect(Type::exited);
  Plan failing = probe(3, {});
  failing.program = "/nonexistent";
  first->spawn(failing);
  first->expect(Type::spawn_failed);
  first->spawn(probe(4, {"exit", "9"}));
  first->expect(Type::spawned);
  first->expect(Type::exited);
  first->acknowledge(4);
  first->die();

  auto second = rig.manager();
  const auto messages = second->take_handover();
  const auto begin = messages[0].as<protocol::HandoverBegin>();
  EXPECT_EQ(begin.manager_restarts, 1U);
  EXPECT_EQ(begin.last_attempt, 4U);
  auto children = children_in(messages);
  ASSERT_EQ(children.size(), 3U) << "an acknowledged attempt is forgotten";
  EXPECT_EQ(children[1].phase, ChildPhase::running);
  EXPECT_EQ(children[1].pid, running.pid);
  EXPECT_EQ(children[1].last_signal, SIGCONT);
  EXPECT_STREQ(children[1].unit, "unit");
  EXPECT_EQ(children[2].phase, ChildPhase::over);
  EXPECT_EQ(children[3].phase, ChildPhase::over);

  // Then the news, in the words that the first one heard.
  std::map<uint64_t, std::vector<Type>> news;
  for (int i = 0; i < 4; ++i) {
    const Message message = second->next();
    uint64_t attempt = 0;
    std::memcpy(&attempt, message.body.data(), sizeof attempt);
    news[attempt].push_back(message.type);
    if (message.type == Type::exited) {
      EXPECT_EQ(message.as<protocol::Exited>().wait_status, 9 << 8);
    }
  }
  EXPECT_EQ(news[1], std::vector<Type>{Type::spawned});
  EXPECT_EQ(news[2], (std::vector<Type>{Type::spawned, Type::exited}));
  EXPECT_EQ(news[3], std::vector<Type>{Type::spawn_failed});
  EXPECT_TRUE(second->silent());
  EXPECT_TRUE(alive(running.pid));
}

TEST(Handover, WhatEndsWhileThereIsNoManagerIsToldToTheNext) {
  Rig rig;
  auto first = rig.serving_manager();
  first->spawn(probe(1, {"stay"}));
  const auto spawned = first->expect_body<protocol::Spawned>(Type::spawned);
  EXPECT_EQ(rig.line(), "here");
  rig.signal(SIGSTOP);
  first->die();
  ::kill(spawned.pid, SIGKILL);
  EXPECT_TRUE(ends(first->pid()));
  EXPECT_TRUE(ends(spawned.pid));
  rig.signal(SIGCONT);
  auto second = rig.manager();
  EXPECT_EQ(children_in(second->take_handover())[1].phase, ChildPhase::over);
  second->expect(Type::spawned);
  EXPECT_EQ(second->expect_body<protocol::Exited>(Type::exited).wait_status, SIGKILL);
}

TEST(Handover, WhatADyingManagerAskedForIsDone) {
  Rig rig;
  auto first = rig.serving_manager();
  rig.signal(SIGSTOP);
  first->spawn(probe(1, {"stay"}));
  first->die();
  EXPECT_TRUE(ends(first->pid()));
  rig.signal(SIGCONT);
  EXPECT_EQ(rig.line(), "here");
  auto second = rig.manager();
  EXPECT_EQ(children_in(second->take_handover()).size(), 1U);
}

TEST(Handover, ALingeringGroupIsToldAsSuch) {
  Rig rig;
  auto first = rig.serving_manager();
  first->spawn(probe(1, {"leave-one"}));
  first->expect(Type::spawned);
  EXPECT_EQ(rig.line().substr(0, 4), "left");
  first->kill(1, SIGTERM, protocol::KillScope::main);
  first->expect(Type::exited);
  first->die();
  auto second = rig.manager();
  EXPECT_EQ(children_in(second->take_handover())[1].phase, ChildPhase::lingering);
  second->expect(Type::spawned);
  EXPECT_EQ(second->expect_body<protocol::Exited>(Type::exited).group_remains, 1U);
  second->kill(1, SIGKILL);
  second->expect(Type::group_emptied);
}

TEST(Handover, StoredDescriptorsComeBackAndWork) {
  Rig rig;
  auto first = rig.serving_manager();
  int kept[2];
  int replaced[2];
  ASSERT_EQ(pipe2(kept, O_CLOEXEC), 0);
  ASSERT_EQ(pipe2(replaced, O_CLOEXEC), 0);
  first->send(Type::store_descriptor, protocol::StoredDescriptor{"kept"}, replaced[1]);
  first->send(Type::store_descriptor, protocol::StoredDescriptor{"kept"}, kept[1]);
  first->send(Type::store_descriptor, protocol::StoredDescriptor{"dropped"}, replaced[1]);
  first->send(Type::drop_descriptor, protocol::StoredDescriptor{"dropped"});
  close(kept[1]);
  close(replaced[1]);
  // Replaced and dropped ones are closed: the pipe ends.
  char byte = 0;
  ASSERT_TRUE(readable(replaced[0]));
  EXPECT_EQ(read(replaced[0], &byte, 1), 0);
  first->die();

  auto second = rig.manager();
  auto messages = second->take_handover();
  ASSERT_EQ(messages.size(), 3U);
  ASSERT_EQ(messages[1].type, Type::stored_descriptor);
  EXPECT_STREQ(messages[1].as<protocol::StoredDescriptor>().name, "kept");
  ASSERT_EQ(messages[1].fds.size(), 1U);
  EXPECT_EQ(write(messages[1].fds[0].get(), "x", 1), 1);
  EXPECT_EQ(read(kept[0], &byte, 1), 1);
  EXPECT_EQ(byte, 'x');
  close(kept[0]);
  close(replaced[0]);
}

struct Connection {
  UniqueFd peer;
  UniqueFd ours;
};

/// With more on the way than its peer, which does not read, takes: a socket that would keep whoever
/// closes it last waiting for ten minutes.
Connection lingering_connection() {
  const UniqueFd listener(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  EXPECT_EQ(bind(listener.get(), generic, size), 0);
  EXPECT_EQ(listen(listener.get(), 1), 0);
  EXPECT_EQ(getsockname(listener.get(), generic, &size), 0);
  Connection made;
  made.ours.reset(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_EQ(connect(made.ours.get(), generic, size), 0);
  made.peer.reset(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  const linger wish{1, 600};
  EXPECT_EQ(setsockopt(made.ours.get(), SOL_SOCKET, SO_LINGER, &wish, sizeof wish), 0);
  const std::string much(1 << 20, 'x');
  while (send(made.ours.get(), much.data(), much.size(), MSG_DONTWAIT) > 0)
    continue;
  return made;
}

TEST(Handover, ADroppedSocketThatLingersHoldsNobodyUp) {
  Rig rig;
  auto manager = rig.serving_manager();
  Connection connection = lingering_connection();
  const protocol::StoredDescriptor name{"lingering"};
  manager->send(Type::store_descriptor, name, connection.ours.get());
  // Its answer says that the keeper has the descriptor, and the last of it.
  manager->spawn(probe(1, {"exit"}));
  manager->expect(Type::spawned);
  manager->expect(Type::exited);
  connection.ours.reset();
  manager->send(Type::drop_descriptor, name);
  manager->spawn(probe(2, {"exit"}));
  EXPECT_EQ(manager->expect_body<protocol::Spawned>(Type::spawned).attempt, 2U);
  manager->expect(Type::exited);
  // Nor does it keep fosterd from ending.
  manager->send(Type::finish, protocol::Finish{0});
  manager->exit(0);
  EXPECT_EQ(rig.end_status(), 0);
}

TEST(Handover, ADroppedFileIsClosed) {
  Rig rig;
  auto manager = rig.serving_manager();
  const std::string path = rig.folder() + "/locked";
  UniqueFd stored(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  ASSERT_EQ(flock(stored.get(), LOCK_EX), 0);
  const protocol::StoredDescriptor name{"file"};
  manager->send(Type::store_descriptor, name, stored.get());
  stored.reset();
  manager->send(Type::drop_descriptor, name);
  const UniqueFd other(open(path.c_str(), O_RDWR | O_CLOEXEC));
  EXPECT_EQ(flock(other.get(), LOCK_EX), 0) << "waits until nobody has the first any more";
}

TEST(Handover, ThousandsOfDescriptorsComeBack) {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_max < 2 * protocol::kStoredDescriptorsMax)
    GTEST_SKIP() << "needs a higher limit on descriptors";
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  Rig rig;
  auto first = rig.serving_manager();
  const UniqueFd null_fd(open("/dev/null", O_RDONLY | O_CLOEXEC));
  constexpr uint32_t kTooMany = protocol::kStoredDescriptorsMax + 1;
  for (uint32_t i = 0; i < kTooMany; ++i) {
    protocol::StoredDescriptor name{};
    snprintf(name.name, sizeof name.name, "descriptor-%u", i);
    first->send(Type::store_descriptor, name, null_fd.get());
  }
  EXPECT_TRUE(rig.logged("cannot keep a descriptor: No space left on device"));
  first->die();
  auto second = rig.manager();
  std::set<std::string> names;
  for (const Message& message : second->take_handover())
    if (message.type == Type::stored_descriptor && message.fds.size() == 1)
      names.insert(message.as<protocol::StoredDescriptor>().name);
  EXPECT_EQ(names.size(), protocol::kStoredDescriptorsMax);
}

TEST(Handover, AHangingManagerLosesNothing) {
  // The test reads nothing until everything has happened: far more than the channel holds.
  Rig rig;
  auto manager = rig.serving_manager();
  constexpr uint64_t kSpawns = 3000;
  manager->gather();
  for (uint64_t i = 1; i <= kSpawns; ++i) {
    Plan plan = probe(i, {});
    plan.program = "/nonexistent";
    plan.unit = std::string(protocol::kNameMax, 'u');
    manager->spawn(plan);
  }
  manager->spawn(probe(kSpawns + 1, {"stay"}));
  manager->flush();
  EXPECT_EQ(rig.line(), "here");
  std::set<uint64_t> failed;
  while (failed.size() < kSpawns) {
    const Message message = manager->next();
    ASSERT_NE(message.type, Type{});
    if (message.type != Type::spawn_failed) continue;
    EXPECT_TRUE(failed.insert(message.as<protocol::SpawnFailed>().attempt).second);
  }
  // The same through a hand-over, whose child records alone are several times what the channel
  // holds.
  manager->die();
  auto second = rig.manager();
  EXPECT_EQ(children_in(second->take_handover()).size(), kSpawns + 1);
  for (uint64_t i = 0; i < kSpawns; ++i)
    ASSERT_NE(second->next().type, Type{});
}

}  // namespace
}  // namespace foster::keeper_test
