// Each key of the top and of [service]: what is accepted, what it means, what is said otherwise.

#include "tests/unit/unit_file/parsing.hpp"

namespace foster {
namespace {

using testing::complaints;
using testing::folded;
using testing::unit_from;
using testing::with_command;

TEST(ServiceKeys, EmptyButForTheCommandMeansTheDefaults) {
  const UnitSpec unit = unit_from("[service]\ncommand = [\"/bin/x\"]\n");
  EXPECT_EQ(unit.name, "web");
  EXPECT_EQ(unit.file, "/units/web.toml");
  EXPECT_EQ(unit.description, "");
  EXPECT_FALSE(unit.essential);
  EXPECT_EQ(unit.type, ServiceType::simple);
  EXPECT_EQ(unit.command, std::vector<std::string>{"/bin/x"});
  EXPECT_FALSE(unit.user || unit.group || unit.working_directory || unit.umask);
  EXPECT_TRUE(unit.environment.empty());
  EXPECT_EQ(unit.success_exit_codes, std::vector<int>{0});
  EXPECT_EQ(unit.restart.policy, RestartPolicy::on_failure);
  EXPECT_EQ(unit.stop.signal, 15);
}

TEST(ServiceKeys, Description) {
  EXPECT_EQ(unit_from("description = \"Größe\"\n" + with_command("")).description, "Größe");
  EXPECT_EQ(complaints("description = \"two\\nlines\"\n" + with_command("")),
            R"(web.toml:1:19: `description` must be a single line without control characters
    description = "two\nlines"
                      ^^
)");
  EXPECT_EQ(
      complaints("description = 7\n" + with_command("")),
      folded(R"(web.toml:1:15: `description` must be a string, not an integer; write description \
= "7"
    description = 7
                  ^
)"));
}

TEST(ServiceKeys, Essential) {
  EXPECT_TRUE(unit_from("essential = true\n" + with_command("")).essential);
  EXPECT_EQ(
      complaints("essential = \"yes\"\n" + with_command("")),
      folded(R"(web.toml:1:13: `essential` must be true or false, not a string; write essential \
= true
    essential = "yes"
                ^^^^^
)"));
  EXPECT_EQ(complaints("essential = 0\n" + with_command("")),
            folded(R"(web.toml:1:13: `essential` must be true or false, not an integer; write \
essential = false
    essential = 0
                ^
)"));
  EXPECT_EQ(complaints("essential = 2024-01-01\n" + with_command("")),
            R"(web.toml:1:13: `essential` must be true or false, not a date or time
    essential = 2024-01-01
                ^^^^^^^^^^
)");
}

TEST(ServiceKeys, Type) {
  EXPECT_EQ(unit_from(with_command("type = \"oneshot\"")).type, ServiceType::oneshot);
  EXPECT_EQ(
      complaints(with_command("type = \"one-shot\"")),
      folded(R"(web.toml:3:8: `type` must be one of "simple", "oneshot", "notify", "forking" and \
"group", not "one-shot"; did you mean "oneshot"?
    type = "one-shot"
           ^^^^^^^^^^
)"));
  EXPECT_EQ(unit_from(with_command("type = \"notify\"")).type, ServiceType::notify);
  EXPECT_EQ(unit_from(with_command("type = \"forking\"")).type, ServiceType::forking);
  EXPECT_EQ(unit_from("[service]\ntype = \"group\"\n").type, ServiceType::group);
}

TEST(ServiceKeys, CommandIsAnArrayOfStrings) {
  const std::vector<std::string> expected{"sleep", "${TIME}", "$$5", ""};
  EXPECT_EQ(unit_from("[service]\ncommand = [\"sleep\", '${TIME}', \"$$5\", \"\"]").command,
            expected);
  EXPECT_EQ(unit_from("[service]\ncommand = [\"${BIN}/x\"]").command[0], "${BIN}/x");
  EXPECT_EQ(complaints("[service]\ncommand = \"/bin/sleep 5\"\n"),
            folded(R"(web.toml:2:11: `command` must be an array of strings, not a string; write \
command = ["/bin/sleep", "5"]
    command = "/bin/sleep 5"
              ^^^^^^^^^^^^^^
)"));
  EXPECT_EQ(complaints("[service]\ncommand = \"a | b\"\n"),
            R"(web.toml:2:11: `command` must be an array of strings, not a string
    command = "a | b"
              ^^^^^^^
)");
  EXPECT_EQ(complaints("[service]\ncommand = [\"/bin/sleep\", 5, true]\n"),
            R"(web.toml:2:26: `command` must hold only strings, not an integer
    command = ["/bin/sleep", 5, true]
                             ^
web.toml:2:29: `command` must hold only strings, not a boolean
    command = ["/bin/sleep", 5, true]
                                ^^^^
)");
}

TEST(ServiceKeys, CommandNamesAProgram) {
  EXPECT_EQ(complaints("[service]\ncommand = []\n"),
            R"(web.toml:2:11: `command` is empty: it must name at least a program
    command = []
              ^^
)");
  EXPECT_EQ(complaints("[service]\ncommand = [\"\", \"x\"]\n"),
            R"(web.toml:2:12: the first string of `command` is empty: it must name a program
    command = ["", "x"]
               ^^
)");
  EXPECT_EQ(
      complaints("[service]\ncommand = [\"./x\"]\n"),
      folded(R"(web.toml:2:12: the program "./x" must be an absolute path, or a name without '/' \
that is looked up in PATH
    command = ["./x"]
               ^^^^^
)"));
  EXPECT_EQ(complaints("[service]\ncommand = [\"/bin/\"]\n"),
            R"(web.toml:2:12: the program "/bin/" is a directory's name
    command = ["/bin/"]
               ^^^^^^^
)");
  EXPECT_EQ(
      complaints("[service]\ncommand = [\"sleep 5\"]\n"),
      folded(R"(web.toml:2:12: the program "sleep 5" has a space in its name: each argument is a \
string of its own
    command = ["sleep 5"]
               ^^^^^^^^^
)"));
  EXPECT_EQ(complaints("[service]\ncommand = [\"/bin/x\", \"a\\u0000b\"]\n"),
            R"(web.toml:2:24: `command` cannot hold a NUL character
    command = ["/bin/x", "a\u0000b"]
                           ^^^^^^
)");
}

TEST(ServiceKeys, ExpansionsAreCheckedAtTheirPlaceInTheText) {
  EXPECT_EQ(
      complaints("[service]\ncommand = [\"/bin/x\", \"é\\t${A\", '${1}', \"${}\", \"${A:-b}\"]\n"),
      folded(R"(web.toml:2:26: `${` without a `}`; write `$${` for the characters themselves
    command = ["/bin/x", "é\t${A", '${1}', "${}", "${A:-b}"]
                             ^^
web.toml:2:33: `1` is no variable's name: letters, digits and `_` make one, and no digit comes first
    command = ["/bin/x", "é\t${A", '${1}', "${}", "${A:-b}"]
                                    ^^^^
web.toml:2:41: `${}` names no variable
    command = ["/bin/x", "é\t${A", '${1}', "${}", "${A:-b}"]
                                            ^^^
web.toml:2:48: only `${A}` can be written here: defaults and other forms of the shell's are not \
known
    command = ["/bin/x", "é\t${A", '${1}', "${}", "${A:-b}"]
                                                   ^^^^^^^
)"));
  EXPECT_EQ(
      complaints("[service]\ncommand = [\"/bin/x\", \"\"\"\nline\n  and \\\n  ${x y}\"\"\"]\n"),
      folded(R"(web.toml:5:3: `x y` is no variable's name: letters, digits and `_` make one, and \
no digit comes first
      ${x y}"""]
      ^^^^^^
)"));
}

TEST(ServiceKeys, UserAndGroup) {
  const UnitSpec unit = unit_from(with_command("user = \"www-data\"\ngroup = \"33\""));
  EXPECT_EQ(unit.user, "www-data");
  EXPECT_EQ(unit.group, "33");
  EXPECT_EQ(
      complaints(with_command("user = 33\ngroup = \"\"\n")),
      folded(R"(web.toml:3:8: `user` must be a string: a user's name or number, not an integer; \
write user = "33"
    user = 33
           ^^
web.toml:4:9: `group` cannot be empty; leave it out for the first group of the user
    group = ""
            ^^
)"));
  EXPECT_EQ(complaints(with_command("user = \"a:b\"\ngroup = \"-1\"\n")),
            R"(web.toml:3:8: "a:b" cannot be a user's name
    user = "a:b"
           ^^^^^
web.toml:4:9: "-1" cannot be a group's name
    group = "-1"
            ^^^^
)");
}

TEST(ServiceKeys, WorkingDirectory) {
  EXPECT_EQ(unit_from(with_command("working-directory = \"/srv\"")).working_directory, "/srv");
  EXPECT_EQ(complaints(with_command("working-directory = \"srv\"")),
            folded(R"(web.toml:3:21: `working-directory` must be an absolute path: "srv" does not \
begin with '/'
    working-directory = "srv"
                        ^^^^^
)"));
}

TEST(ServiceKeys, Umask) {
  EXPECT_EQ(unit_from(with_command("umask = \"0027\"")).umask, 027U);
  EXPECT_EQ(unit_from(with_command("umask = 0o077")).umask, 077U);
  EXPECT_EQ(unit_from(with_command("umask = 0")).umask, 0U);
  EXPECT_EQ(complaints(with_command("umask = 22")),
            R"(web.toml:3:9: `umask` must be octal: write umask = "022" or 0o22
    umask = 22
            ^^
)");
  for (const char* wrong : {"\"\"", "\"8\"", "\"01000\"", "0o1000", "-1", "99"}) {
    EXPECT_NE(complaints(with_command("umask = " + std::string(wrong)))
                  .find("`umask` must be an octal number up to 777, such as \"0022\" or 0o022\n"),
              std::string::npos)
        << wrong;
  }
}

TEST(ServiceKeys, Environment) {
  const UnitSpec unit = unit_from(
      with_command("[service.environment]\nLANG = \"C.UTF-8\"\n\"a.b-c\" = \"two\\nlines\""));
  ASSERT_EQ(unit.environment.size(), 2U);
  EXPECT_EQ(unit.environment[0], (std::pair<std::string, std::string>("LANG", "C.UTF-8")));
  EXPECT_EQ(unit.environment[1], (std::pair<std::string, std::string>("a.b-c", "two\nlines")));
  EXPECT_EQ(complaints(with_command("environment = { PORT = 80, \"A B\" = \"x\", a.b = \"\", "
                                    "\"\" = \"\", N = \"\\u0000\" }")),
            folded(R"(web.toml:3:24: the variable `PORT` must be a string, not an integer; write \
PORT = "80"
    environment = { PORT = 80, "A B" = "x", a.b = "", "" = "", N = "\u0000" }
                           ^^
web.toml:3:28: "A B" cannot be a variable's name: letters, digits, `_`, `.` and `-` make one, a \
letter or `_` first
    environment = { PORT = 80, "A B" = "x", a.b = "", "" = "", N = "\u0000" }
                               ^^^^^
web.toml:3:41: the variable `a` must be a string, not a table; put quotes round a name that \
has a dot
    environment = { PORT = 80, "A B" = "x", a.b = "", "" = "", N = "\u0000" }
                                            ^
web.toml:3:51: a variable's name cannot be empty
    environment = { PORT = 80, "A B" = "x", a.b = "", "" = "", N = "\u0000" }
                                                      ^^
web.toml:3:65: `environment` cannot hold a NUL character
    environment = { PORT = 80, "A B" = "x", a.b = "", "" = "", N = "\u0000" }
                                                                    ^^^^^^
)"));
  EXPECT_EQ(complaints(with_command("environment = [\"A=b\"]")),
            folded(R"(web.toml:3:15: `environment` must be a table of strings such as { LANG = \
"C.UTF-8" }, not an array
    environment = ["A=b"]
                  ^^^^^^^
)"));
}

TEST(ServiceKeys, EnvironmentFiles) {
  const UnitSpec unit = unit_from(with_command("environment-files = [\"/etc/a\", \"-/etc/b\"]"));
  ASSERT_EQ(unit.environment_files.size(), 2U);
  EXPECT_EQ(unit.environment_files[0].path, "/etc/a");
  EXPECT_FALSE(unit.environment_files[0].optional);
  EXPECT_EQ(unit.environment_files[1].path, "/etc/b");
  EXPECT_TRUE(unit.environment_files[1].optional);
  EXPECT_EQ(complaints(with_command("environment-files = [\"-etc\", 1]")),
            R"(web.toml:3:30: `environment-files` must hold only strings, not an integer
    environment-files = ["-etc", 1]
                                 ^
)");
  EXPECT_EQ(complaints(with_command("environment-files = [\"-etc\"]")),
            folded(R"(web.toml:3:22: `environment-files` must hold absolute paths: "etc" does not \
begin with '/'
    environment-files = ["-etc"]
                         ^^^^^^
)"));
  EXPECT_EQ(complaints(with_command("environment-files = \"/etc/a\"")),
            folded(R"(web.toml:3:21: `environment-files` must be an array of absolute paths, not a \
string; write environment-files = ["/etc/a"]
    environment-files = "/etc/a"
                        ^^^^^^^^
)"));
}

TEST(ServiceKeys, PassEnvironment) {
  const std::vector<std::string> expected{"LC_*", "TZ"};
  EXPECT_EQ(unit_from(with_command("pass-environment = [\"LC_*\", \"TZ\"]")).pass_environment,
            expected);
  EXPECT_EQ(complaints(with_command("pass-environment = [\"\", \"A=b\"]")),
            folded(R"(web.toml:3:21: `pass-environment` holds an empty string, which matches no name
    pass-environment = ["", "A=b"]
                        ^^
web.toml:3:25: `pass-environment` holds names only; a variable with its value goes into \
`environment`
    pass-environment = ["", "A=b"]
                            ^^^^^
)"));
}

TEST(ServiceKeys, SuccessExitCodes) {
  const std::vector<int> expected{0, 3, 75};
  EXPECT_EQ(unit_from(with_command("success-exit-codes = [75, 3, 75]")).success_exit_codes,
            expected);
  EXPECT_EQ(unit_from(with_command("success-exit-codes = []")).success_exit_codes,
            std::vector<int>{0});
  EXPECT_EQ(complaints(with_command("success-exit-codes = [1, \"2\", 256, -1, 1.0]")),
            R"(web.toml:3:26: `success-exit-codes` must hold only whole numbers, not a string
    success-exit-codes = [1, "2", 256, -1, 1.0]
                             ^^^
web.toml:3:31: an exit code is a number from 0 to 255, not 256
    success-exit-codes = [1, "2", 256, -1, 1.0]
                                  ^^^
web.toml:3:36: an exit code is a number from 0 to 255, not -1
    success-exit-codes = [1, "2", 256, -1, 1.0]
                                       ^^
web.toml:3:40: `success-exit-codes` must hold only whole numbers, not a number with a decimal point
    success-exit-codes = [1, "2", 256, -1, 1.0]
                                           ^^^
)");
  EXPECT_EQ(
      complaints(with_command("success-exit-codes = 3")),
      folded(R"(web.toml:3:22: `success-exit-codes` must be an array of whole numbers from 0 to \
255, not an integer; write success-exit-codes = [3]
    success-exit-codes = 3
                         ^
)"));
}

}  // namespace
}  // namespace foster
