// Templates, their instances, and the specifiers in strings.

#include "common/unit/unit_name.hpp"
#include "tests/unit/unit_file/parsing.hpp"

namespace foster {
namespace {

using testing::complaints;
using testing::folded;
using testing::said_of;
using testing::set_of;
using testing::unit_file;
using testing::unit_from;
using testing::with_command;

SourceFile worker(const std::string& top, const std::string& service = {}) {
  return {"/u/worker@.toml", top + with_command("umask = \"0077\"\n" + service)};
}

/// "a worker@1 worker@2(disabled)"
std::string names_of(const std::vector<SourceFile>& files, const InstanceCounts& counts = {}) {
  std::string all;
  const auto set = set_of(files, {counts, false});
  for (const UnitSpec& unit : set->units())
    all += unit.name + (unit.enabled ? " " : "(disabled) ");
  return all;
}

TEST(Names, OfTemplatesAndInstances) {
  EXPECT_TRUE(is_template_name("worker@"));
  EXPECT_FALSE(is_template_name("worker@1"));
  EXPECT_FALSE(is_template_name("a@b@"));
  EXPECT_EQ(template_of("worker@3"), "worker@");
  EXPECT_EQ(template_of("worker@"), "");
  EXPECT_EQ(template_of("worker"), "");
  EXPECT_EQ(prefix_of("a-b@3@4"), "a-b");
  EXPECT_EQ(instance_of("a-b@3@4"), "3@4");
}

TEST(Templates, AreNoUnitsThemselves) {
  EXPECT_EQ(names_of({worker("")}), "");
  EXPECT_EQ(build_unit_set({worker("")}, {}).templates, std::vector<std::string>{"worker"});
}

TEST(Templates, InstancesByNumberAndByName) {
  EXPECT_EQ(names_of({worker("instances = 2\n")}), "worker@1 worker@2 ");
  EXPECT_EQ(names_of({worker("instances = [\"a\", \"b-c\"]\n")}), "worker@a worker@b-c ");
  EXPECT_EQ(names_of({worker("instances = 0\n")}), "");
}

TEST(Templates, ACountOfTheRunTimeWins) {
  EXPECT_EQ(names_of({worker("instances = 2\n")}, {{"worker", 3}}), "worker@1 worker@2 worker@3 ");
  EXPECT_EQ(names_of({worker("instances = [\"a\"]\n")}, {{"worker", 1}}), "worker@1 ");
  EXPECT_EQ(names_of({worker("instances = 2\n")}, {{"worker", 0}, {"gone", 5}}), "");
}

TEST(Templates, AReferenceMakesAnInstance) {
  EXPECT_EQ(names_of({worker("instances = 1\n"),
                      unit_file("web", "requires = [\"worker@7\"]\nafter = [\"-worker@x\"]\n")}),
            "web worker@1 worker@7(disabled) worker@x(disabled) ");
  EXPECT_EQ(names_of({worker("", "[depends]\nwants = [\"helper@%i\"]\n"),
                      {"helper@.toml", with_command("")},
                      unit_file("web", "wants = [\"worker@7\"]\n")}),
            "helper@7(disabled) web worker@7(disabled) ");
  EXPECT_EQ(
      names_of({worker(""), {"a.toml", with_command("[hooks]\non-failure = \"worker@a\"\n")}}),
      "a worker@a(disabled) ");
}

TEST(Templates, OnesThatNameEachOtherWithoutEnd) {
  const std::string said =
      said_of({worker("instances = 1\n", "[depends]\nwants = [\"worker@%i0\", \"worker@%i1\"]\n")});
  EXPECT_NE(said.find("/u/worker@.toml: other units name more than 10000 instances of templates\n"),
            std::string::npos)
      << said.substr(0, 1000);
}

TEST(Templates, AFileOfItsOwnReplacesTheTemplateForOneInstance) {
  const std::vector<SourceFile> files{worker("instances = 2\n"),
                                      {"/u/worker@2.toml", with_command("user = \"%i\"\n")},
                                      {"/u/worker@9.toml", with_command("")},
                                      {"/u/worker@.toml.d/a.toml", "description = \"of %p\"\n"},
                                      {"/u/worker@2.toml.d/a.toml", "essential = true\n"},
                                      {"/u/worker@1.toml.d/b.toml", "description = \"one\"\n"}};
  const auto set = set_of(files);
  ASSERT_EQ(set->size(), 3U);
  const UnitSpec& one = (*set)[UnitIndex{0}];
  const UnitSpec& two = (*set)[UnitIndex{1}];
  EXPECT_EQ(one.description, "one");
  EXPECT_EQ(one.umask, 077U);
  EXPECT_EQ(one.drop_ins,
            (std::vector<std::string>{"/u/worker@.toml.d/a.toml", "/u/worker@1.toml.d/b.toml"}));
  EXPECT_EQ(two.name, "worker@2");
  EXPECT_EQ(two.file, "/u/worker@2.toml");
  EXPECT_EQ(two.description, "of worker");
  EXPECT_EQ(two.user, "2");
  EXPECT_FALSE(two.umask);
  EXPECT_TRUE(two.essential);
}

TEST(Templates, AnInstanceMayBeMasked) {
  EXPECT_EQ(names_of({worker("instances = 3\n"), {"/etc/worker@2.toml", "", 1}}),
            "worker@1 worker@3 ");
  EXPECT_EQ(said_of({worker(""),
                     {"/etc/worker@2.toml", "", 1},
                     unit_file("web", "requires = [\"worker@2\"]\n")}),
            R"(web.toml:4:13: the unit "worker@2" is masked by a file without content
    requires = ["worker@2"]
                ^^^^^^^^^^
)");
}

TEST(Templates, ADropInMaySayHowManyThereAre) {
  EXPECT_EQ(names_of({worker("instances = 3\n"), {"/u/worker@.toml.d/a.toml", "instances = 1\n"}}),
            "worker@1 ");
}

TEST(Templates, OnlyTheyHaveInstances) {
  EXPECT_EQ(complaints("instances = 2\n" + with_command("")),
            folded(R"(web.toml:1:1: `instances` is for templates, whose names end in @, such as \
worker@.toml
    instances = 2
    ^^^^^^^^^
)"));
  EXPECT_EQ(
      said_of({worker("instances = 1\n"), {"/u/worker@1.toml.d/a.toml", "instances = 1\n"}}),
      folded(R"(/u/worker@1.toml.d/a.toml:1:1: `instances` is for the template's own file and \
drop-ins (as worker@1)
    instances = 1
    ^^^^^^^^^
)"));
}

TEST(Templates, NamesOfInstances) {
  EXPECT_EQ(said_of({worker("instances = [\"\", \"a b\", \"x\", \"x\", \"a@b\"]\n")}),
            folded(R"(/u/worker@.toml:1:14: an instance's name cannot be empty
    instances = ["", "a b", "x", "x", "a@b"]
                 ^^
/u/worker@.toml:1:18: "a b" cannot be an instance's name: letters, digits and the characters _ . \
: - make one, at most 95 bytes with the template's name
    instances = ["", "a b", "x", "x", "a@b"]
                     ^^^^^
/u/worker@.toml:1:30: the instance "x" is named twice
    instances = ["", "a b", "x", "x", "a@b"]
                                 ^^^
/u/worker@.toml:1:35: an instance's name cannot have an @
    instances = ["", "a b", "x", "x", "a@b"]
                                      ^^^^^
)"));
  EXPECT_EQ(said_of({worker("instances = 10001\n")}),
            R"(/u/worker@.toml:1:13: there can be up to 10000 instances, not 10001
    instances = 10001
                ^^^^^
)");
  const std::string longest(80, 'x');
  EXPECT_EQ(said_of({worker("instances = [\"" + longest + longest.substr(0, 12) + "\"]\n")})
                .substr(0, 16),
            "/u/worker@.toml:");
}

TEST(Templates, AMistakeIsToldOnce) {
  EXPECT_EQ(said_of({worker("instances = 4\n", "usr = \"x\"\n[depends]\nafter = [\"dbb\"]\n"),
                     unit_file("db", ""), unit_file("web", "requires = [\"worker@3\"]\n")}),
            R"(/u/worker@.toml:5:1: unknown key `usr` in [service]; did you mean `user`?
    usr = "x"
    ^^^
/u/worker@.toml:7:10: there is no unit "dbb"; did you mean "db"?
    after = ["dbb"]
             ^^^^^
)");
  EXPECT_EQ(
      said_of({worker("instances = 4\n", "[depends]\nafter = [\"dbb\"]\n"), unit_file("db", "")}),
      R"(/u/worker@.toml:6:10: there is no unit "dbb"; did you mean "db"?
    after = ["dbb"]
             ^^^^^
)");
}

TEST(Templates, DropInsOfAnInstanceThatNobodyAsksFor) {
  EXPECT_EQ(
      said_of({worker(""), {"/u/worker@5.toml.d/a.toml", "[depends]\nafter = [\"db\"]\nx = 1\n"}}),
      folded(R"(/u/worker@5.toml.d/a.toml:2:10: there is no unit "db"; write "-db" if it may \
be missing
    after = ["db"]
             ^^^^
/u/worker@5.toml.d/a.toml:3:1: unknown key `x` in [depends]; known here: `requires`, `binds-to`, \
`wants`, `completed`, `after`, `before`, `conflicts`, `part-of`, `required-by`, `wanted-by`
    x = 1
    ^
)"));
}

TEST(Templates, OneWithoutInstancesIsJudgedToo) {
  EXPECT_EQ(
      said_of({worker("", "user = \"%\"\n[depends]\nafter = [\"dbb\", \"other@%i\"]\n")}),
      folded(R"(/u/worker@.toml:4:9: `%` is no specifier: known are %i %I %j %n %N %p and %%; \
write `%%` for a percent sign
    user = "%"
            ^
/u/worker@.toml:6:10: there is no unit "dbb"; write "-dbb" if it may be missing
    after = ["dbb", "other@%i"]
             ^^^^^
/u/worker@.toml:6:17: there is no unit "other@1"; write "-other@1" if it may be missing
    after = ["dbb", "other@%i"]
                    ^^^^^^^^^^
)"));
}

TEST(Templates, AMistakeOfOneInstanceSaysWhichItIs) {
  EXPECT_EQ(said_of({worker("instances = [\"1\", \"x\"]\n", "[ready]\ntcp = \"h:%i\"\n")}),
            folded(R"(/u/worker@.toml:6:7: "h:x" is no address: `x` is no port: a number from 1 to \
65535 (as worker@x)
    tcp = "h:%i"
          ^^^^^^
)"));
}

TEST(Specifiers, InEveryString) {
  const auto set = set_of({{"/u/a-worker-x@b-c.toml", R"(description = "%n %N %p %j %i %I 100%%"
[service]
command = ["/bin/%p", "${A}%i"]
environment = { NAME = "%n" }
[conditions]
path-exists = "/%I"
)"}});
  ASSERT_EQ(set->size(), 1U);
  const UnitSpec& unit = (*set)[UnitIndex{0}];
  EXPECT_EQ(unit.description, "a-worker-x@b-c a-worker-x@b-c a-worker-x x b-c b/c 100%");
  EXPECT_EQ(unit.command, (Argv{"/bin/a-worker-x", "${A}b-c"}));
  EXPECT_EQ(unit.environment[0].second, "a-worker-x@b-c");
  EXPECT_EQ(unit.conditions[0].value, "/b/c");
}

TEST(Specifiers, OfAUnitThatIsNoInstance) {
  EXPECT_EQ(unit_from("description = \"%n %N %p %j\"\n" + with_command("")).description,
            "web web web web");
  EXPECT_EQ(complaints("description = \"\\u00e9 %i %%i %I %é %H\"\n" + with_command("")),
            folded(R"(web.toml:1:23: `%i` stands for the name of an instance, and "web" is none
    description = "\u00e9 %i %%i %I %é %H"
                          ^^
web.toml:1:30: `%I` stands for the name of an instance, and "web" is none
    description = "\u00e9 %i %%i %I %é %H"
                                 ^^
web.toml:1:33: `%é` is no specifier: known are %i %I %j %n %N %p and %%; write `%%` for a percent \
sign
    description = "\u00e9 %i %%i %I %é %H"
                                    ^^
web.toml:1:36: `%H` is no specifier: known are %i %I %j %n %N %p and %%; write `%%` for a percent \
sign
    description = "\u00e9 %i %%i %I %é %H"
                                       ^^
)"));
}

TEST(Specifiers, WhatTheyMakeIsNotExpandedAgain) {
  EXPECT_EQ(unit_from("description = \"%%n\"\n" + with_command("")).description, "%n");
}

TEST(Specifiers, AMistakeBehindOneIsPutAtTheWholeString) {
  EXPECT_EQ(complaints("[service]\ncommand = [\"/bin/x\", \"%n ${\"]\n"),
            folded(R"(web.toml:2:22: `${` without a `}`; write `$${` for the characters themselves
    command = ["/bin/x", "%n ${"]
                         ^^^^^^^
)"));
}

}  // namespace
}  // namespace foster
