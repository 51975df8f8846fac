// Units of several files: drop-ins, layers, masks, and what `fosterctl cat` shows of them.

#include "common/unit/unit_catalog.hpp"
#include "common/unit/unit_listing.hpp"
#include "tests/unit/unit_file/parsing.hpp"

namespace foster {
namespace {

using testing::folded;
using testing::said_of;
using testing::set_of;
using testing::with_command;

UnitSpec unit_of(const std::vector<SourceFile>& files, const std::string& name) {
  const auto set = set_of(files);
  const auto unit = set->find(name);
  EXPECT_TRUE(unit) << name;
  return unit ? (*set)[*unit] : UnitSpec{};
}

std::string names_of(const std::vector<SourceFile>& files) {
  std::string all;
  const auto set = set_of(files);
  for (const UnitSpec& unit : set->units())
    all += unit.name + "=" + unit.file + " ";
  return all;
}

const std::string kWeb = R"(description = "Front end"
[service]
command = ["/bin/web", "-x"]
user = "www"
environment = { A = "1", B = "2" }
[depends]
after = ["db"]
)";

TEST(DropIns, AreMergedKeyByKeyInOrderOfTheirNames) {
  const UnitSpec unit = unit_of({{"/u/web.toml.d/20-b.toml", R"([service]
user = "second"
environment.C = "3"
)"},
                                 {"/u/db.toml", with_command("")},
                                 {"/u/web.toml", kWeb},
                                 {"/u/web.toml.d/10-a.toml", R"(essential = true
[service]
user = "first"
umask = "0077"
environment = { B = "two" }
command = ["/bin/other"]
)"}},
                                "web");
  EXPECT_EQ(unit.description, "Front end");
  EXPECT_TRUE(unit.essential);
  EXPECT_EQ(unit.user, "second");
  EXPECT_EQ(unit.umask, 077U);
  EXPECT_EQ(unit.command, Argv{"/bin/other"});
  const std::vector<std::pair<std::string, std::string>> environment{
      {"A", "1"}, {"B", "two"}, {"C", "3"}};
  EXPECT_EQ(unit.environment, environment);
  EXPECT_EQ(unit.depends->after.size(), 1U);
  EXPECT_EQ(unit.file, "/u/web.toml");
  EXPECT_EQ(unit.drop_ins,
            (std::vector<std::string>{"/u/web.toml.d/10-a.toml", "/u/web.toml.d/20-b.toml"}));
}

TEST(DropIns, EachMistakePointsIntoItsFile) {
  EXPECT_EQ(said_of({{"/u/web.toml", kWeb},
                     {"/u/web.toml.d/a.toml", R"(x = 1
[service]
usr = "x"
umask = "9"
[depends]
requires = ["db", "web"]
)"},
                     {"/u/web.toml.d/b.toml", "[service\n"},
                     {"/u/web.toml.d/c.toml", "\xff"},
                     {"/u/web.toml.d/d.toml", "[depends]\nwants = [\"bd\"]\n"},
                     {"/u/db.toml", with_command("")}}),
            folded(R"(/u/web.toml.d/a.toml:1:1: unknown key `x` before the first section; known \
here: `description`, `enabled`, `essential`, `restart-dependents`, `instances`
    x = 1
    ^
/u/web.toml.d/a.toml:3:1: unknown key `usr` in [service]; did you mean `user`?
    usr = "x"
    ^^^
/u/web.toml.d/a.toml:4:9: `umask` must be an octal number up to 777, such as "0022" or 0o022
    umask = "9"
            ^^^
/u/web.toml.d/a.toml:6:19: `requires` names the unit itself
    requires = ["db", "web"]
                      ^^^^^
/u/web.toml.d/b.toml:1:1: a section begins with its name in brackets on a line of its own, such \
as [service]
    [service
    ^^^^^^^^
/u/web.toml.d/c.toml:1:1: not UTF-8 text: the byte 0xff cannot stand here
    ?
    ^
/u/web.toml.d/d.toml:2:10: there is no unit "bd"; did you mean "db"?
    wants = ["bd"]
             ^^^^
)"));
}

TEST(DropIns, KeysOfSeveralFilesAreComparedWithEachOther) {
  EXPECT_EQ(said_of({{"web.toml", with_command("[ready]\ntcp = \"x:1\"\n")},
                     {"web.toml.d/a.toml", "[ready]\nnotify = true\n"}}),
            folded(R"(web.toml.d/a.toml:2:1: `notify` and `tcp` exclude each other: [ready] says \
one way of being ready
    notify = true
    ^^^^^^
)"));
}

TEST(DropIns, AMistakeWithinAStringPointsIntoItsFile) {
  EXPECT_EQ(said_of({{"web.toml", with_command("")},
                     {"web.toml.d/a.toml", "[service]\n\ncommand = [\"/bin/x\", \"a${\"]\n"}}),
            folded(R"(web.toml.d/a.toml:3:24: `${` without a `}`; write `$${` for the characters \
themselves
    command = ["/bin/x", "a${"]
                           ^^
)"));
}

TEST(DropIns, BelongToAUnit) {
  EXPECT_EQ(
      said_of({{"/u/web.toml", with_command("")}, {"/u/wbe.toml.d/a.toml", "y = 1\n"}}),
      folded(R"(/u/wbe.toml.d/a.toml: a drop-in for "wbe", and there is no such unit; did you \
mean "web"?
/u/wbe.toml.d/a.toml:1:1: unknown key `y` before the first section; known here: `description`, \
`enabled`, `essential`, `restart-dependents`, `instances`
    y = 1
    ^
)"));
  EXPECT_EQ(drop_in_owner("/u/web.toml.d/a.toml"), "web");
  EXPECT_EQ(drop_in_owner("web.toml.d/a.toml"), "web");
  EXPECT_EQ(drop_in_owner("/u/web.toml"), "");
  EXPECT_EQ(drop_in_owner("/u/web.toml.d/a.conf"), "");
  EXPECT_EQ(drop_in_owner("/web.toml.d/x/a.toml"), "");
}

TEST(Layers, TheHighestFileCountsWhole) {
  const std::string low = with_command("user = \"low\"\n");
  const std::string high = with_command("umask = \"0077\"\n");
  const UnitSpec unit = unit_of({{"/etc/web.toml", high, 1}, {"/usr/web.toml", low, 0}}, "web");
  EXPECT_FALSE(unit.user);
  EXPECT_EQ(unit.file, "/etc/web.toml");
  // Mistakes of what does not count do no harm.
  EXPECT_EQ(names_of({{"/usr/web.toml", "x =", 0}, {"/etc/web.toml", low, 1}}),
            "web=/etc/web.toml ");
}

TEST(Layers, DropInsOfAllLayersCount) {
  const std::vector<SourceFile> files{
      {"/usr/web.toml", with_command(""), 0},
      {"/usr/web.toml.d/a.toml", "[service]\nuser = \"a-low\"\numask = \"0011\"\n", 0},
      {"/usr/web.toml.d/c.toml", "essential = true\n", 0},
      {"/run/web.toml.d/b.toml", "[service]\nuser = \"b\"\n", 2},
      {"/etc/web.toml.d/a.toml", "[service]\nuser = \"a-high\"\n", 1},
      {"/etc/web.toml.d/c.toml", "", 1}};
  const UnitSpec unit = unit_of(files, "web");
  EXPECT_EQ(unit.user, "b");
  EXPECT_FALSE(unit.umask);
  EXPECT_FALSE(unit.essential);
  EXPECT_EQ(unit.drop_ins,
            (std::vector<std::string>{"/etc/web.toml.d/a.toml", "/run/web.toml.d/b.toml"}));
}

TEST(Layers, AFileWithoutContentMasks) {
  const std::string web = with_command("");
  EXPECT_EQ(names_of({{"/usr/web.toml", web, 0}, {"/etc/web.toml", "", 1}}), "");
  EXPECT_EQ(names_of({{"/usr/web.toml", web, 0}, {"/etc/web.toml", "", 1, true}}), "");
  EXPECT_EQ(names_of({{"/etc/web.toml", "", 0, true}}), "");
  EXPECT_EQ(names_of({{"/usr/web.toml", web, 0},
                      {"/etc/web.toml", "", 1},
                      {"/etc/web.toml.d/a.toml", "x = 1", 1},
                      {"/run/web.toml", web, 2},
                      {"/run/web.toml.d/a.toml", "essential = true", 2}}),
            "web=/run/web.toml ");
  // In the lowest layer there is nothing to mask.
  EXPECT_EQ(said_of({{"/usr/web.toml", "", 0}}),
            "/usr/web.toml: the file is empty: a unit needs at least a [service] section with a "
            "`command`\n");
}

TEST(Layers, WhatIsMaskedMayBeNamedButNotNeeded) {
  EXPECT_EQ(said_of({{"/etc/db.toml", "", 1}, {"/usr/web.toml", with_command(R"([depends]
requires = ["db"]
wants = ["db"]
before = ["db"]
)")}}),
            R"(/usr/web.toml:4:13: the unit "db" is masked by a file without content
    requires = ["db"]
                ^^^^
)");
}

TEST(Layers, TwoFilesOfOneLayerAreAMistake) {
  EXPECT_EQ(said_of({{"/a/web.toml", with_command(""), 1},
                     {"/b/web.toml", with_command(""), 1},
                     {"/c/web.toml", with_command(""), 0}}),
            "/b/web.toml: a unit of this name is there already: /a/web.toml\n");
}

std::string listed(const std::vector<SourceFile>& files, const std::string& name) {
  const Result<UnitListing> listing = list_unit(files, name);
  if (!listing) return listing.error().message;
  std::string all;
  for (const std::string& file : listing->files)
    all += "# " + file + "\n";
  for (const ListedKey& key : listing->keys)
    all += "[" + key.section + "] " + key.key + " = " + key.value + "  # " + key.file + ":" +
           std::to_string(key.line) + "\n";
  for (const Diagnostic& diagnostic : listing->diagnostics)
    all += render(diagnostic);
  return all;
}

TEST(Listing, TellsWhereEachKeyCameFrom) {
  EXPECT_EQ(listed({{"/u/web.toml", R"([stop]
timeout = "5s"
[service]
user = "a"
command = [
  "/bin/x",   # over lines
  'tab	"quote" %%',
]
umask = 0o022
environment = { A = "1", "b.c" = "2" }
[restart]
factor = 2.0
limit = 3
)"},
                    {"/u/web.toml.d/a.toml", R"(description = "%n"
[service]
user = "b"
environment.A = "new"
[odd]
x = [true, { y = 1.5 }]
)"}},
                   "web"),
            R"(# /u/web.toml
# /u/web.toml.d/a.toml
[] description = "web"  # /u/web.toml.d/a.toml:1
[service] command = ["/bin/x", "tab\t\"quote\" %"]  # /u/web.toml:5
[service] umask = 0o22  # /u/web.toml:9
[service] environment."b.c" = "2"  # /u/web.toml:10
[service] environment.A = "new"  # /u/web.toml.d/a.toml:4
[service] user = "b"  # /u/web.toml.d/a.toml:3
[restart] factor = 2.0  # /u/web.toml:12
[restart] limit = 3  # /u/web.toml:13
[stop] timeout = "5s"  # /u/web.toml:2
[odd] x = [true, { y = 1.5 }]  # /u/web.toml.d/a.toml:6
)");
}

TEST(Listing, OfSeveralSectionsOfOneName) {
  const std::vector<SourceFile> files{
      {"/u/web.toml", with_command("[[socket]]\nlisten = \"tcp://*:80\"\n"
                                   "[[socket]]\nname = \"b\"\nlisten = \"tcp://*:81\"\n")}};
  EXPECT_EQ(listed(files, "web"), R"(# /u/web.toml
[service] command = ["/bin/x"]  # /u/web.toml:2
[[socket]] listen = "tcp://*:80"  # /u/web.toml:4
[[socket]] name = "b"  # /u/web.toml:6
[[socket]] listen = "tcp://*:81"  # /u/web.toml:7
)");
  const Result<UnitListing> listing = list_unit(files, "web");
  EXPECT_TRUE(listing->keys[1].begins);
  EXPECT_TRUE(listing->keys[2].begins);
  EXPECT_FALSE(listing->keys[3].begins);
}

TEST(Listing, OfTemplatesAndInstances) {
  const std::vector<SourceFile> files{{"/u/w@.toml", with_command("user = \"%i\"\n"), 0},
                                      {"/u/w@3.toml.d/a.toml", "description = \"%p %z\"\n", 0},
                                      {"/u/w@4.toml", "", 1}};
  EXPECT_EQ(listed(files, "w@3"), R"(# /u/w@.toml
# /u/w@3.toml.d/a.toml
[] description = "w %z"  # /u/w@3.toml.d/a.toml:1
[service] command = ["/bin/x"]  # /u/w@.toml:2
[service] user = "3"  # /u/w@.toml:3
)");
  EXPECT_EQ(listed(files, "w@"), R"(# /u/w@.toml
[service] command = ["/bin/x"]  # /u/w@.toml:2
[service] user = "%i"  # /u/w@.toml:3
)");
  EXPECT_EQ(listed(files, "w@4"), "cannot show w@4: it is masked: /u/w@4.toml has no content");
  EXPECT_EQ(listed(files, "v"), "cannot show v: there is no file for it");
}

TEST(Listing, OfWhatIsBroken) {
  EXPECT_EQ(listed({{"web.toml", "[service]\nuser =\nusr = 1\n"}}, "web"),
            R"(# web.toml
[service] usr = 1  # web.toml:3
web.toml:2:6: after `=` a value is missing
    user =
         ^
)");
}

}  // namespace
}  // namespace foster
