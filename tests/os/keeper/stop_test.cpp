// The end of fosterd: asked of it, or come upon it. Afterwards no process of its own is left.
#include "tests/os/keeper/rig.hpp"

namespace foster::keeper_test {
namespace {

using protocol::Type;

pid_t pid_in(const std::string& line) {
  return std::atoi(line.substr(line.rfind(' ') + 1).c_str());
}

pid_t spawned_pid(Rig& rig, Manager& manager, const Plan& plan) {
  manager.spawn(plan);
  EXPECT_EQ(rig.line(), "here");
  return manager.expect_body<protocol::Spawned>(Type::spawned).pid;
}

TEST(Stop, SignalsArePassedOnToTheManager) {
  Rig rig;
  auto manager = rig.serving_manager();
  for (const int number : {SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH, SIGPWR, SIGTERM, SIGINT}) {
    rig.signal(number);
    EXPECT_EQ(manager->expect_body<protocol::SignalNumber>(Type::signal_received).signal, number);
    manager->send(Type::signal_taken, protocol::SignalNumber{number});
  }
  EXPECT_TRUE(rig.keeper_runs());
}

TEST(Stop, ASignalThatAManagerDidNotTakeIsToldToTheNext) {
  Rig rig;
  auto first = rig.serving_manager();
  rig.signal(SIGTERM);
  first->expect(Type::signal_received);
  first->die();
  auto second = rig.manager();
  second->take_handover();
  EXPECT_EQ(second->expect_body<protocol::SignalNumber>(Type::signal_received).signal, SIGTERM);
  second->send_ready();
  second->send(Type::signal_taken, protocol::SignalNumber{SIGTERM});
  second->send(Type::finish, protocol::Finish{0});
  second->exit(0);
  EXPECT_EQ(rig.end_status(), 0);
}

TEST(Stop, FinishEndsWithTheManagersCode) {
  Rig rig;
  auto manager = rig.serving_manager();
  manager->send(Type::finish, protocol::Finish{143});
  manager->exit(0);
  EXPECT_EQ(rig.end_status(), 143 << 8);
}

TEST(Stop, FinishKillsAManagerThatStays) {
  Rig rig;
  auto manager = rig.serving_manager();
  manager->send(Type::finish, protocol::Finish{4});
  EXPECT_EQ(rig.end_status(), 4 << 8);
  EXPECT_TRUE(ends(manager->pid()));
}

TEST(Stop, FinishLeavesNobodyBehind) {
  for (const bool as_init : {false, true}) {
    Rig rig({.as_init = as_init});
    auto manager = rig.serving_manager();
    manager->spawn(probe(1, {"leave-daemon"}));
    manager->expect(Type::spawned);
    ASSERT_EQ(rig.line().substr(0, 7), "daemon ");
    manager->spawn(probe(2, {"ignore", std::to_string(SIGTERM)}));
    EXPECT_EQ(rig.line(), "here");
    manager->send(Type::finish, protocol::Finish{0});
    manager->exit(0);
    EXPECT_EQ(rig.end_status(), 0);
    // All of them held the pipe that the rig reads: its end shows that they are gone.
    EXPECT_EQ(rig.line(), "(no more lines)");
  }
}

TEST(Stop, AHangingManagerDoesNotKeepSigtermFromStopping) {
  Rig rig;
  auto manager = rig.serving_manager();
  const pid_t service = spawned_pid(rig, *manager, probe(1, {"stay"}));
  ::kill(manager->pid(), SIGSTOP);
  rig.signal(SIGTERM);
  EXPECT_EQ(rig.end_status(), 0);
  EXPECT_FALSE(alive(service));
  EXPECT_FALSE(alive(manager->pid()));
  EXPECT_TRUE(rig.logged("stopping all services without a manager services=1"));
}

TEST(Stop, AHangingManagersSuccessorIsAskedToStop) {
  Rig rig;
  auto first = rig.serving_manager();
  const pid_t service = spawned_pid(rig, *first, probe(1, {"stay"}));
  ::kill(first->pid(), SIGSTOP);
  rig.signal(SIGTERM);
  auto second = rig.manager();
  ASSERT_NE(second, nullptr);
  EXPECT_TRUE(ends(first->pid()));
  second->take_handover();
  EXPECT_EQ(second->expect_body<protocol::SignalNumber>(Type::signal_received).signal, SIGTERM);
  second->send(Type::signal_taken, protocol::SignalNumber{SIGTERM});
  second->expect(Type::spawned);
  second->kill(1, SIGTERM);
  second->expect(Type::exited);
  EXPECT_FALSE(alive(service));
  second->send(Type::finish, protocol::Finish{0});
  second->exit(0);
  EXPECT_EQ(rig.end_status(), 0);
}

TEST(Stop, WithoutAManagerThatCanStartSigtermStopsAtOnce) {
  Rig rig;
  auto first = rig.serving_manager();
  const pid_t service = spawned_pid(rig, *first, probe(1, {"stay"}));
  ASSERT_EQ(unlink((rig.folder() + "/foster-manager").c_str()), 0);
  first->die();
  EXPECT_TRUE(rig.logged("manager ended")) << "the first";
  EXPECT_TRUE(rig.logged("code=127")) << "its successor, which cannot be executed";
  rig.signal(SIGTERM);
  EXPECT_EQ(rig.end_status(), 0);
  EXPECT_FALSE(alive(service));
}

TEST(Stop, AServiceThatIgnoresSigtermIsKilledWhenHurried) {
  Rig rig;
  auto first = rig.serving_manager();
  const pid_t service = spawned_pid(rig, *first, probe(1, {"ignore", std::to_string(SIGTERM)}));
  ASSERT_EQ(unlink((rig.folder() + "/foster-manager").c_str()), 0);
  first->die();
  EXPECT_TRUE(rig.logged("code=127"));
  rig.signal(SIGTERM);
  EXPECT_TRUE(rig.logged("stopping all services without a manager"));
  rig.signal(SIGTERM);
  EXPECT_TRUE(rig.logged("killing services that did not end services=1"));
  EXPECT_EQ(rig.end_status(), 1 << 8);
  EXPECT_FALSE(alive(service));
}

TEST(Stop, AServiceStartedAsInitEndsToo) {
  Rig rig({.as_init = true});
  auto first = rig.serving_manager();
  first->spawn(probe(1, {"leave-one"}));
  ASSERT_EQ(rig.line().substr(0, 4), "left");
  ASSERT_EQ(unlink((rig.folder() + "/foster-manager").c_str()), 0);
  first->die();
  EXPECT_TRUE(rig.logged("code=127"));
  rig.signal(SIGTERM);
  EXPECT_EQ(rig.end_status(), 0);
  EXPECT_EQ(rig.line(), "(no more lines)");
}

TEST(Stop, ServicesDoNotOutliveAKilledKeeper) {
  Rig rig;
  auto manager = rig.serving_manager();
  std::vector<pid_t> pids;
  for (uint64_t i = 1; i <= 20; ++i)
    pids.push_back(spawned_pid(rig, *manager, probe(i, {"ignore", std::to_string(SIGTERM)})));
  rig.signal(SIGKILL);
  for (const pid_t pid : pids)
    EXPECT_TRUE(ends(pid));
}

TEST(Stop, AGroupLeftBehindIsStoppedToo) {
  Rig rig;
  auto manager = rig.serving_manager();
  manager->spawn(probe(1, {"leave-one"}));
  manager->expect(Type::spawned);
  const pid_t left = pid_in(rig.line());
  manager->kill(1, SIGTERM, protocol::KillScope::main);
  EXPECT_EQ(manager->expect_body<protocol::Exited>(Type::exited).group_remains, 1U);
  ::kill(manager->pid(), SIGSTOP);
  rig.signal(SIGINT);
  EXPECT_EQ(rig.end_status(), 0);
  EXPECT_FALSE(alive(left));
}

}  // namespace
}  // namespace foster::keeper_test
