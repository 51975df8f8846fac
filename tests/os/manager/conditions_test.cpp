#include "daemon/manager/conditions.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "daemon/manager/virtualization.hpp"
#include "tests/os/manager/rig.hpp"

namespace foster::manager {
namespace {

const char* const kEnvironment[] = {"STAGE=test", "EMPTY=", nullptr};

ConditionSpec condition(ConditionKind kind, const std::string& value, bool negated = false) {
  return {.kind = kind, .negated = negated, .value = value};
}

core::ConditionsChecked check(std::vector<ConditionSpec> conditions) {
  UnitSpec unit;
  unit.conditions = std::move(conditions);
  return check_conditions({.unit = {3}, .token = 9}, unit, kEnvironment);
}

/// Empty: met.
std::string reason(ConditionKind kind, const std::string& value, bool negated = false) {
  const auto answer = check({condition(kind, value, negated)});
  EXPECT_EQ(answer.met, answer.reason.empty());
  return answer.reason;
}

TEST(Conditions, NoneAreMet) {
  const auto answer = check({});
  EXPECT_TRUE(answer.met);
  EXPECT_EQ(answer.unit, UnitIndex{3});
  EXPECT_EQ(answer.token, 9u);
}

TEST(Conditions, Paths) {
  const TestFolder folder;
  const std::string file = folder.path + "/file";
  EXPECT_EQ(reason(ConditionKind::path_exists, file), "path " + file + " does not exist");
  EXPECT_EQ(reason(ConditionKind::path_exists, file, true), "");
  EXPECT_EQ(reason(ConditionKind::file_not_empty, file), "file " + file + " does not exist");
  std::ofstream(file).flush();
  EXPECT_EQ(reason(ConditionKind::path_exists, file), "");
  EXPECT_EQ(reason(ConditionKind::path_exists, file, true), "path " + file + " exists");
  EXPECT_EQ(reason(ConditionKind::file_not_empty, file), "file " + file + " is empty");
  EXPECT_EQ(reason(ConditionKind::path_executable, file), file + " is no executable file");
  std::ofstream(file) << "x";
  EXPECT_EQ(reason(ConditionKind::file_not_empty, file), "");
  EXPECT_EQ(reason(ConditionKind::file_not_empty, file, true), "file " + file + " is not empty");
  EXPECT_EQ(reason(ConditionKind::path_executable, "/bin/sh"), "");
  EXPECT_EQ(reason(ConditionKind::path_executable, folder.path),
            folder.path + " is no executable file");
  EXPECT_EQ(reason(ConditionKind::file_not_empty, folder.path),
            folder.path + " is no regular file");
}

TEST(Conditions, TheDaemonsEnvironment) {
  constexpr auto kind = ConditionKind::environment;
  EXPECT_EQ(reason(kind, "STAGE"), "");
  EXPECT_EQ(reason(kind, "EMPTY"), "");
  EXPECT_EQ(reason(kind, "STAG"), "environment variable STAG is not set");
  EXPECT_EQ(reason(kind, "STAGE", true), "environment variable STAGE is set");
  EXPECT_EQ(reason(kind, "STAGE=test"), "");
  EXPECT_EQ(reason(kind, "STAGE=live"), "environment variable STAGE is not \"live\"");
  EXPECT_EQ(reason(kind, "STAGE=test", true), "environment variable STAGE is \"test\"");
  EXPECT_EQ(reason(kind, "EMPTY="), "");
}

TEST(Conditions, TheDaemonsUser) {
  constexpr auto kind = ConditionKind::user;
  EXPECT_EQ(reason(kind, std::to_string(geteuid())), "");
  const std::string other = reason(kind, "no-such-user");
  EXPECT_TRUE(other.starts_with("foster runs as user ")) << other;
  EXPECT_TRUE(other.ends_with(", and no-such-user is asked for")) << other;
  EXPECT_EQ(reason(kind, "no-such-user", true), "");
}

TEST(Conditions, Virtualization) {
  constexpr auto kind = ConditionKind::virtualization;
  const Virtualization& here = virtualization();
  const std::string name = here.kind == VirtualizationKind::none ? "none" : here.name;
  EXPECT_EQ(reason(kind, name), "");
  EXPECT_EQ(reason(kind, "no-such-hypervisor"),
            "the system is " + describe(here) + ", and no-such-hypervisor is asked for");
  EXPECT_TRUE(reason(kind, name, true).ends_with(", and not " + name + " is asked for"));
}

TEST(Conditions, CommandsAreLeftToTheCore) {
  EXPECT_EQ(reason(ConditionKind::command, ""), "");
  EXPECT_EQ(reason(ConditionKind::command, "", true), "");
}

TEST(Conditions, TheFirstThatIsNotMetIsTheReason) {
  EXPECT_EQ(
      check({condition(ConditionKind::path_exists, "/"), condition(ConditionKind::environment, "A"),
             condition(ConditionKind::environment, "B")})
          .reason,
      "environment variable A is not set");
}

TEST(Virtualization, MarksAreReadFromFiles) {
  const TestFolder root;
  const auto marks_now = [&] { return read_marks(root.path); };
  EXPECT_EQ(judge(marks_now()).kind, VirtualizationKind::none);
  std::ofstream(root.path + "/.dockerenv").flush();
  EXPECT_EQ(judge(marks_now()).name, "docker");
  ASSERT_EQ(std::system(("mkdir -p " + root.path + "/run/systemd").c_str()), 0);
  std::ofstream(root.path + "/run/systemd/container") << "lxc\n";
  EXPECT_EQ(judge(marks_now()).name, "lxc");
}

}  // namespace
}  // namespace foster::manager
