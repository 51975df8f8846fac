#include "daemon/manager/spawn_plan.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>

#include "daemon/manager/environment.hpp"
#include "daemon/manager/errand.hpp"
#include "daemon/protocol/keeper_protocol.hpp"

namespace foster::manager {
namespace {

const char* const kInherited[] = {"SECRET=1",         "PASS_ME=yes",  "PATH=/evil",
                                  "NOTIFY_SOCKET=/s", "LISTEN_FDS=1", nullptr};

const DaemonFacts kDaemon{"test", "12-34", "/libexec/foster-probe", kInherited};

struct Folder {
  std::string path;
  Folder() {
    char name[] = "/tmp/foster-plan.XXXXXX";
    path = mkdtemp(name);
  }
  ~Folder() { std::system(("rm -rf " + path).c_str()); }
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(path + "/" + name) << text;
    return path + "/" + name;
  }
};

UnitSpec unit(std::vector<std::string> command) {
  UnitSpec spec;
  spec.name = "web";
  spec.command = std::move(command);
  return spec;
}

Identity nobody() {
  return {false, 0, 0, {}, "nobody", "/nonexistent", "/bin/sh"};
}

std::map<std::string, std::string> environment_of(const UnitSpec& spec) {
  const auto made = service_environment(spec, nobody(), kDaemon, {7});
  EXPECT_TRUE(made) << (made ? "" : made.error().message);
  return made ? std::map<std::string, std::string>(made->begin(), made->end())
              : std::map<std::string, std::string>();
}

TEST(Environment, CleanByDefault) {
  setenv("LANG", "de_DE.UTF-8", 1);
  const auto environment = environment_of(unit({"/bin/true"}));
  const std::map<std::string, std::string> expected{
      {"PATH", kDefaultPath},   {"LANG", "de_DE.UTF-8"},
      {"HOME", "/nonexistent"}, {"USER", "nobody"},
      {"LOGNAME", "nobody"},    {"SHELL", "/bin/sh"},
      {"FOSTER_UNIT", "web"},   {"FOSTER_INSTANCE", "test"},
      {"FOSTER_ATTEMPT", "7"},  {"FOSTER_INVOCATION", "12-34"}};
  EXPECT_EQ(environment, expected);
}

TEST(Environment, PassedVariablesNeverIncludeTheSupervisorsAbove) {
  UnitSpec spec = unit({"/bin/true"});
  spec.pass_environment = {"*"};
  const auto environment = environment_of(spec);
  EXPECT_EQ(environment.at("SECRET"), "1");
  EXPECT_EQ(environment.at("PATH"), "/evil");
  EXPECT_FALSE(environment.contains("NOTIFY_SOCKET"));
  EXPECT_FALSE(environment.contains("LISTEN_FDS"));
  spec.pass_environment = {"PASS_*"};
  EXPECT_FALSE(environment_of(spec).contains("SECRET"));
  EXPECT_EQ(environment_of(spec).at("PASS_ME"), "yes");
}

TEST(Environment, TheLaterSourceWins) {
  const Folder folder;
  UnitSpec spec = unit({"/bin/true"});
  spec.pass_environment = {"PASS_ME"};
  spec.environment_files = {{folder.write("a", "PASS_ME=a\nX=a\nY=a\n"), false},
                            {folder.write("b", "X=b\n"), false},
                            {folder.path + "/missing", true}};
  spec.environment = {{"Y", "unit"}, {"FOSTER_UNIT", "forged"}};
  const auto environment = environment_of(spec);
  EXPECT_EQ(environment.at("PASS_ME"), "a");
  EXPECT_EQ(environment.at("X"), "b");
  EXPECT_EQ(environment.at("Y"), "unit");
  EXPECT_EQ(environment.at("FOSTER_UNIT"), "web");
}

TEST(Environment, AMissingOrWrongFileIsAnErrorWithItsPlace) {
  const Folder folder;
  UnitSpec spec = unit({"/bin/true"});
  spec.environment_files = {{folder.path + "/missing", false}};
  const auto missing = service_environment(spec, nobody(), kDaemon, {7});
  ASSERT_FALSE(missing);
  EXPECT_NE(missing.error().message.find(folder.path + "/missing"), std::string::npos);
  spec.environment_files = {{folder.write("wrong", "OK=1\nnot a variable\n"), true}};
  const auto wrong = service_environment(spec, nobody(), kDaemon, {7});
  ASSERT_FALSE(wrong);
  EXPECT_NE(wrong.error().message.find("wrong:2:1"), std::string::npos) << wrong.error().message;
}

Result<std::string> plan_of(const UnitSpec& spec, const ProcessOrder& order) {
  IdentityCache identities;
  return spawn_plan(spec, order, kDaemon, identities);
}

Result<std::string> plan_of(const UnitSpec& spec) {
  return plan_of(spec, {.attempt = {9}});
}

protocol::SpawnPlan head_of(const std::string& body) {
  protocol::SpawnPlan head{};
  std::memcpy(&head, body.data(), sizeof head);
  return head;
}

std::vector<std::string> strings_of(const std::string& body) {
  const protocol::SpawnPlan head = head_of(body);
  std::vector<std::string> strings;
  const char* at = body.data() + sizeof head + head.group_count * sizeof(gid_t) +
                   head.fd_count * sizeof(int32_t);
  EXPECT_EQ(at + head.string_bytes, body.data() + body.size());
  while (at < body.data() + body.size()) {
    strings.emplace_back(at);
    at += strings.back().size() + 1;
  }
  return strings;
}

TEST(SpawnPlan, LaysOutWhatTheKeeperNeeds) {
  UnitSpec spec = unit({"sh", "-c", "echo ${FOSTER_UNIT} $$HOME $x"});
  spec.working_directory = "/tmp";
  const auto body = plan_of(spec);
  ASSERT_TRUE(body) << body.error().message;
  protocol::SpawnPlan head{};
  std::memcpy(&head, body->data(), sizeof head);
  EXPECT_EQ(head.attempt, 9u);
  EXPECT_EQ(head.flags, protocol::kSetDirectory);
  EXPECT_EQ(head.umask, 022u);
  const auto strings = strings_of(*body);
  ASSERT_EQ(strings.size(), 3u + head.argc + head.envc);
  EXPECT_EQ(strings[0], "web");
  EXPECT_TRUE(strings[1] == "/usr/bin/sh" || strings[1] == "/bin/sh");
  EXPECT_EQ(strings[2], "/tmp");
  EXPECT_EQ(strings[3], "sh");
  EXPECT_EQ(strings[5], "echo web $HOME $x");
}

TEST(SpawnPlan, WhatCannotBeStartedSaysWhy) {
  const auto missing = plan_of(unit({"no-such-program"}));
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().message,
            "cannot execute no-such-program: it is in no folder of the service's PATH");
  EXPECT_EQ(missing.error().system_error, ENOENT);

  const auto unset = plan_of(unit({"/bin/true", "${NOT_SET}"}));
  ASSERT_FALSE(unset);
  EXPECT_NE(unset.error().message.find("NOT_SET"), std::string::npos);

  UnitSpec spec = unit({"/bin/true"});
  spec.user = "no-such-user";
  const auto user = plan_of(spec);
  ASSERT_FALSE(user);
  EXPECT_EQ(user.error().message, "cannot run as user no-such-user: there is no such user");
  spec.user.reset();
  spec.group = "no-such-group";
  EXPECT_EQ(plan_of(spec).error().message,
            "cannot run as group no-such-group: there is no such group");
}

/// The words of what is executed for a role.
std::vector<std::string> words_of(const UnitSpec& spec, core::Role role, uint16_t index = 0) {
  const auto body = plan_of(spec, {.attempt = {9}, .role = role, .index = index});
  EXPECT_TRUE(body) << (body ? "" : body.error().message);
  if (!body) return {};
  const auto strings = strings_of(*body);
  const auto first = strings.begin() + 3;
  return {first, first + head_of(*body).argc};
}

using Words = std::vector<std::string>;

TEST(SpawnPlan, EachRoleHasItsCommand) {
  UnitSpec spec = unit({"/bin/true", "main"});
  spec.more_commands = {{"/bin/true", "second"}, {"/bin/true", "third"}};
  spec.conditions.push_back({.kind = ConditionKind::path_exists, .value = "/"});
  spec.conditions.push_back({.kind = ConditionKind::command, .command = {"/bin/true", "met"}});
  HookSpec* hooks = spec.hooks.make().hooks;
  const char* const names[kHookPoints] = {"pre-start", "post-start", "pre-stop",
                                          "stop",      "post-stop",  "reload"};
  for (size_t i = 0; i < kHookPoints; ++i)
    hooks[i].commands = {{"/bin/true", names[i]}, {"/bin/true", std::string(names[i]) + "${USER}"}};
  EXPECT_EQ(words_of(spec, core::Role::main), (Words{"/bin/true", "main"}));
  EXPECT_EQ(words_of(spec, core::Role::main, 2), (Words{"/bin/true", "third"}));
  EXPECT_EQ(words_of(spec, core::Role::condition, 1), (Words{"/bin/true", "met"}));
  const core::Role roles[kHookPoints] = {core::Role::pre_start, core::Role::post_start,
                                         core::Role::pre_stop,  core::Role::stop,
                                         core::Role::post_stop, core::Role::reload};
  for (size_t i = 0; i < kHookPoints; ++i) {
    EXPECT_EQ(words_of(spec, roles[i]), (Words{"/bin/true", names[i]}));
    EXPECT_EQ(words_of(spec, roles[i], 1).at(1).find(names[i]), 0u);
    EXPECT_EQ(words_of(spec, roles[i], 1).at(1).find('$'), std::string::npos);
  }
}

TEST(SpawnPlan, ChecksThatAreNoCommandsAreTheProbes) {
  const std::string probe = kDaemon.probe;
  UnitSpec spec = unit({"/bin/true"});
  ReadySpec& ready = spec.ready.make();
  ready.kind = ReadyKind::http;
  ready.target = "http://localhost/${x}";
  ready.http_status = 204;
  ready.interval = std::chrono::seconds(2);
  EXPECT_EQ(
      words_of(spec, core::Role::ready_check),
      (Words{probe, "http", "http://localhost/${x}", "--status", "204", "--timeout", "2000"}));
  ready.kind = ReadyKind::command;
  ready.command = {"/bin/true", "${USER}"};
  EXPECT_EQ(words_of(spec, core::Role::ready_check).size(), 2u);
  HealthSpec& health = spec.health.make();
  health.kind = HealthKind::tcp;
  health.target = "localhost:80";
  health.timeout = std::chrono::milliseconds(1500);
  EXPECT_EQ(words_of(spec, core::Role::health_check),
            (Words{probe, "tcp", "localhost:80", "--timeout", "1500"}));
  health.kind = HealthKind::unix_socket;
  health.target = "/run/x";
  EXPECT_EQ(words_of(spec, core::Role::health_check),
            (Words{probe, "unix", "/run/x", "--timeout", "1500"}));
}

TEST(SpawnPlan, ExtrasComeAlongAndWin) {
  UnitSpec spec = unit({"/bin/true", "${NOTIFY_SOCKET}"});
  spec.environment = {{"NOTIFY_SOCKET", "forged"}};
  ProcessOrder order{.attempt = {9}, .role = core::Role::main, .index = 0};
  order.extras.environment = {{"NOTIFY_SOCKET", "/run/s"}};
  order.extras.descriptors.push_back({7, UniqueFd(dup(0))});
  order.extras.descriptors.push_back({3, UniqueFd(dup(0))});
  const auto body = plan_of(spec, order);
  ASSERT_TRUE(body) << body.error().message;
  const protocol::SpawnPlan head = head_of(*body);
  EXPECT_EQ(head.fd_count, 2u);
  int32_t numbers[2];
  std::memcpy(numbers, body->data() + sizeof head + head.group_count * sizeof(gid_t),
              sizeof numbers);
  EXPECT_EQ(numbers[0], 7);
  EXPECT_EQ(numbers[1], 3);
  const auto strings = strings_of(*body);
  EXPECT_EQ(strings[4], "/run/s");
  EXPECT_EQ(std::ranges::count(strings, "NOTIFY_SOCKET=/run/s"), 1);
}

TEST(SpawnPlan, TheTagSaysWhatTheProcessIsFor) {
  UnitSpec spec = unit({"/bin/true"});
  spec.hooks.make().hooks[static_cast<size_t>(HookPoint::reload)].commands = {{"/bin/true"},
                                                                              {"/bin/true"}};
  const auto body = plan_of(spec, {.attempt = {9}, .role = core::Role::reload, .index = 1});
  ASSERT_TRUE(body) << body.error().message;
  const Errand errand = errand_of({5}, head_of(*body).tag);
  EXPECT_EQ(errand.unit.value, 5u);
  EXPECT_EQ(errand.role, core::Role::reload);
  EXPECT_EQ(errand.index, 1);
}

TEST(SpawnPlan, AUserIsTurnedIntoNumbers) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root: only root may become somebody";
  UnitSpec spec = unit({"/bin/true"});
  spec.user = "daemon";
  const auto body = plan_of(spec);
  ASSERT_TRUE(body) << body.error().message;
  protocol::SpawnPlan head{};
  std::memcpy(&head, body->data(), sizeof head);
  EXPECT_EQ(head.uid, 1u);
  EXPECT_EQ(head.gid, 1u);
  EXPECT_GE(head.group_count, 1u);
  EXPECT_NE(head.flags & protocol::kSetIds, 0u);
  spec.user = "12345";  // no entry in the database
  ASSERT_TRUE(plan_of(spec));
}

}  // namespace
}  // namespace foster::manager
