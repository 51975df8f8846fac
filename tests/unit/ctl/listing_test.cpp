#include <string_view>

#include <gtest/gtest.h>

#include "ctl/render_listing.hpp"
#include "ctl/unit_paths.hpp"

namespace foster::ctl {
namespace {

TEST(Listing, NamesTheFilesAndWhereEachKeyIsFrom) {
  const UnitListing listing{
      .name = "web",
      .files = {"/u/web.toml", "/u/web.toml.d/10.toml"},
      .keys = {{"", "description", "\"Front end\"", "/u/web.toml", 1},
               {"service", "command", "[\"/bin/web\", \"--verbose\"]", "/u/web.toml", 3},
               {"service", "environment.LANG", "\"C\"", "/u/web.toml.d/10.toml", 2},
               {"stop", "timeout", "\"" + std::string(60, '1') + "s\"", "/u/web.toml", 6}}};
  EXPECT_EQ(render_listing(listing),
            "# web\n"
            "# /u/web.toml\n"
            "# /u/web.toml.d/10.toml\n"
            "description = \"Front end\"            # /u/web.toml:1\n"
            "\n"
            "[service]\n"
            "command = [\"/bin/web\", \"--verbose\"]  # /u/web.toml:3\n"
            "environment.LANG = \"C\"               # /u/web.toml.d/10.toml:2\n"
            "\n"
            "[stop]\n"
            "timeout = \"" +
                std::string(60, '1') + "s\"  # /u/web.toml:6\n");
}

TEST(Listing, HasAHeaderForEachOfSeveralSections) {
  const UnitListing listing{
      .name = "web",
      .files = {"/u/web.toml"},
      .keys = {{"[socket]", "listen", "\"tcp://*:1\"", "/u/web.toml", 2, true},
               {"[socket]", "name", "\"a\"", "/u/web.toml", 3},
               {"[socket]", "listen", "\"tcp://*:2\"", "/u/web.toml", 5, true}}};
  EXPECT_EQ(render_listing(listing),
            "# web\n"
            "# /u/web.toml\n"
            "\n"
            "[[socket]]\n"
            "listen = \"tcp://*:1\"  # /u/web.toml:2\n"
            "name = \"a\"            # /u/web.toml:3\n"
            "\n"
            "[[socket]]\n"
            "listen = \"tcp://*:2\"  # /u/web.toml:5\n");
}

TEST(UnitPaths, AreThoseOfTheDaemonsCommandLine) {
  using namespace std::string_view_literals;
  EXPECT_EQ(units_of_command_line("fosterd\0--units\0/a\0--units=b\0--start\0x\0"sv, "/home/me"),
            (std::vector<std::string>{"/a", "/home/me/b"}));
  EXPECT_EQ(units_of_command_line("fosterd\0--units\0--units\0--\0x\0--units\0/no\0"sv, ""),
            (std::vector<std::string>{"--units"}));
  EXPECT_EQ(units_of_command_line("", "/"), std::vector<std::string>{});
}

}  // namespace
}  // namespace foster::ctl
