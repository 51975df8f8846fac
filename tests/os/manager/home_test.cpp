#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

#include "daemon/manager/instance_home.hpp"
#include "daemon/manager/log.hpp"
#include "daemon/manager/options.hpp"
#include "daemon/manager/unit_loader.hpp"

namespace foster::manager {
namespace {

struct Folder {
  std::string path;
  Folder() {
    char name[] = "/tmp/foster-home.XXXXXX";
    path = mkdtemp(name);
  }
  ~Folder() { std::system(("rm -rf " + path).c_str()); }
};

TEST(InstanceHome, ASecondLockNamesTheHolder) {
  const Folder folder;
  const auto home = InstanceHome::open("x", folder.path + "/a/b");
  ASSERT_TRUE(home) << home.error().message;
  const auto first = home->lock(4711);
  ASSERT_TRUE(first);
  const auto second = home->lock(1);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().message,
            "cannot start: fosterd runs this instance already, with pid 4711");
}

TEST(InstanceHome, TheLockEndsWithItsDescriptor) {
  const Folder folder;
  const auto home = InstanceHome::open("x", folder.path + "/a");
  { ASSERT_TRUE(home->lock(1)); }
  EXPECT_TRUE(home->lock(2));
}

TEST(InstanceHome, ADirectoryThatOthersMayWriteToIsRefused) {
  const Folder folder;
  ASSERT_EQ(chmod(folder.path.c_str(), 0777), 0);
  const auto home = InstanceHome::open("x", folder.path);
  ASSERT_FALSE(home);
  EXPECT_NE(home.error().message.find("others may write to it"), std::string::npos);
}

TEST(InstanceHome, ListensForEveryoneAndReplacesAStaleSocket) {
  const Folder folder;
  const auto home = InstanceHome::open("x", folder.path);
  ASSERT_TRUE(home) << home.error().message;
  { ASSERT_TRUE(home->listen()); }
  const auto again = home->listen();
  ASSERT_TRUE(again) << again.error().message;
  struct stat found {};
  ASSERT_EQ(stat((folder.path + "/control").c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777, 0666u);
  home->remove();
  EXPECT_NE(stat((folder.path + "/control").c_str(), &found), 0);
}

TEST(InstanceHome, APathThatIsTooLongForASocketIsAnError) {
  const Folder folder;
  const auto home = InstanceHome::open("x", folder.path + "/" + std::string(100, 'y'));
  ASSERT_TRUE(home);
  const auto listening = home->listen();
  ASSERT_FALSE(listening);
  EXPECT_NE(listening.error().message.find("longer than a socket's address"), std::string::npos);
}

TEST(Options, UnitsAndCommand) {
  const auto parsed = parse_options(
      {"fosterd", "--units", "a", "--units=b", "--instance", "x", "--", "sh", "-c", "--units"});
  const auto* options = std::get_if<Options>(&parsed);
  ASSERT_NE(options, nullptr);
  EXPECT_EQ(options->unit_paths, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(options->instance, "x");
  EXPECT_EQ(options->command, (std::vector<std::string>{"sh", "-c", "--units"}));
}

TEST(Options, WhatIsWrongEndsWithTwo) {
  for (const std::vector<std::string>& wrong : {std::vector<std::string>{"fosterd", "--unitz", "a"},
                                                {"fosterd", "stray"},
                                                {"fosterd", "--instance", "a/b"},
                                                {"fosterd", "--"},
                                                {"fosterd", "--units"}}) {
    const auto parsed = parse_options(wrong);
    const auto* end = std::get_if<EndNow>(&parsed);
    ASSERT_NE(end, nullptr) << wrong.back();
    EXPECT_EQ(end->exit_code, 2);
    EXPECT_TRUE(end->text.starts_with("fosterd: ")) << end->text;
  }
}

TEST(Options, HelpAndVersionEndWithZero) {
  const auto help = parse_options({"fosterd", "--help"});
  EXPECT_EQ(std::get<EndNow>(help).exit_code, 0);
  EXPECT_NE(std::get<EndNow>(help).text.find("--runtime-dir"), std::string::npos);
  const auto version = parse_options({"fosterd", "--version"});
  EXPECT_EQ(std::get<EndNow>(version).text, "fosterd " FOSTER_VERSION "\n");
}

TEST(CommandUnit, IsNamedByItsProgramAndKeepsItsArguments) {
  const UnitSpec unit = command_unit({"/usr/bin/my prog", "$HOME", "$$"});
  EXPECT_EQ(unit.name, "my_prog");
  EXPECT_TRUE(unit.essential);
  EXPECT_EQ(unit.command, (std::vector<std::string>{"/usr/bin/my prog", "$$HOME", "$$$$"}));
  EXPECT_EQ(command_unit({"--x"}).name, "command");
}

TEST(UnitLoader, KeptUnitsAreThoseThatWereRead) {
  const std::vector<SourceFile> files{
      {"/x/a.toml", "[service]\ntype = \"simple\"\ncommand = [\"/bin/true\"]\n"}};
  const auto memory = keep_units(files);
  ASSERT_TRUE(memory) << memory.error().message;
  EXPECT_EQ(write(memory->get(), "x", 1), -1) << "the kept texts are sealed";
  const auto loaded = reload_kept_units(memory->get(), Options{}, {});
  ASSERT_TRUE(loaded) << loaded.error().message;
  ASSERT_TRUE(loaded->checked.set);
  EXPECT_TRUE(loaded->checked.set->find("a"));
}

TEST(Log, FieldsAreQuotedWhereTheyMustBe) {
  const std::vector<Field> fields{
      {"unit", "web"}, {"pid", 12}, {"why", "two words"}, {"odd", "a\"b\n"}, {"empty", ""}};
  EXPECT_EQ(log_text("said", fields),
            "said unit=web pid=12 why=\"two words\" odd=\"a\\\"b \" empty=\"\"");
}

}  // namespace
}  // namespace foster::manager
