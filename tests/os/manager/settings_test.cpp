// Settings as text and in their file.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "daemon/manager/settings.hpp"

namespace foster::manager {
namespace {

namespace fs = std::filesystem;

class SettingsFileTest : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/foster-settings-XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    folder_ = name;
  }
  void TearDown() override { fs::remove_all(folder_); }

  fs::path folder_;
};

Settings some() {
  Settings settings;
  settings.units["web"].enabled = false;
  settings.units["db"] = {.enabled = true, .masked = true};
  settings.instances["worker"] = 8;
  settings.last_runs_us["backup"] = 1'795'000'000'000'000;
  return settings;
}

TEST(SettingsText, ReadsWhatItWrote) {
  const auto again = parse_settings(settings_text(some()));
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(*again, some());
  EXPECT_EQ(*parse_settings(settings_text({})), Settings{});
}

TEST(SettingsText, RefusesWhatItDoesNotUnderstand) {
  for (const char* text :
       {"", "[]", "{", "{}", R"({"version": 2})", R"({"version": 1, "units": []})",
        R"({"version": 1, "units": {"a": 1}})", R"({"version": 1, "units": {"a": {"masked": 1}}})",
        R"({"version": 1, "instances": {"w": -1}})",
        R"({"version": 1, "last-runs-us": {"w": ""}})"})
    EXPECT_FALSE(parse_settings(text)) << text;
}

TEST_F(SettingsFileTest, KeepsThem) {
  const SettingsFile file(folder_ / "deep" / "er");
  EXPECT_EQ(file.read().settings, Settings{});
  EXPECT_EQ(file.read().complaint, "");
  const auto written = file.write(settings_text(some()));
  ASSERT_TRUE(written) << written.error().message;
  EXPECT_EQ(file.read().settings, some());
  EXPECT_FALSE(fs::exists(folder_ / "deep" / "er" / "settings.json.new"));
}

TEST_F(SettingsFileTest, SetsADamagedFileAside) {
  const SettingsFile file(folder_);
  std::ofstream(folder_ / "settings.json") << "{\"version\": 1, \"un";
  const auto found = file.read();
  EXPECT_EQ(found.settings, Settings{});
  EXPECT_EQ(found.complaint, "cannot read the kept settings: they are no JSON object; " +
                                 (folder_ / "settings.json").string() + " is now " +
                                 (folder_ / "settings.json.bad").string());
  EXPECT_TRUE(fs::exists(folder_ / "settings.json.bad"));
  EXPECT_EQ(file.read().complaint, "");
}

TEST_F(SettingsFileTest, SaysWhyItCannotKeepThem) {
  std::ofstream(folder_ / "file") << "in the way";
  const auto written = SettingsFile(folder_ / "file" / "x").write("{}");
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().message, "cannot keep the settings: cannot make " +
                                         (folder_ / "file" / "x").string() + ": Not a directory");
  EXPECT_EQ(SettingsFile("").write("{}").error().message,
            "cannot keep the settings: there is no directory for them; name one with --state-dir");
}

TEST(StateDir, Defaults) {
  EXPECT_EQ(default_state_dir("system", true, "/x", "/root"), "/var/lib/foster/system");
  EXPECT_EQ(default_state_dir("user-7", false, "/x", "/home/u"), "/x/foster/user-7");
  EXPECT_EQ(default_state_dir("user-7", false, "", "/home/u"),
            "/home/u/.local/state/foster/user-7");
  EXPECT_EQ(default_state_dir("user-7", false, "", ""), "");
}

}  // namespace
}  // namespace foster::manager
