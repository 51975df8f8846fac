#include "ctl/printable.hpp"

#include <gtest/gtest.h>

#include "ctl/table.hpp"

namespace foster::ctl {
namespace {

TEST(Printable, KeepsTextAndReplacesWhatSteersATerminal) {
  EXPECT_EQ(printable("plain größe 漢 😀"), "plain größe 漢 😀");
  EXPECT_EQ(printable("a\x1b[31mb\tc\nd\x7f"), "a?[31mb?c?d?");
  EXPECT_EQ(printable("\xc2\x9b"
                      "31m"),
            "?31m");                              // a C1 control: the one-byte CSI
  EXPECT_EQ(printable("x\xe2\x80\xaey"), "x?y");  // turns the direction of writing round
  EXPECT_EQ(printable(std::string_view("a\0b", 3)), "a?b");
}

TEST(Printable, ReplacesEachByteThatIsNotUtf8) {
  EXPECT_EQ(printable("\xff\xfe"), "??");
  EXPECT_EQ(printable("\xc0\xaf"), "??");            // overlong
  EXPECT_EQ(printable("\xed\xa0\x80"), "???");       // a surrogate
  EXPECT_EQ(printable("\xf4\x90\x80\x80"), "????");  // beyond the last character
  EXPECT_EQ(printable("a\xe6\xbc"), "a??");          // cut short
}

TEST(Printable, CountsAndCutsCharactersNotBytes) {
  EXPECT_EQ(display_width("größe"), 5u);
  EXPECT_EQ(shortened("größe", 5), "größe");
  EXPECT_EQ(shortened("größer", 4), "grö…");
  EXPECT_EQ(shortened("ab", 1), "…");
  EXPECT_EQ(shortened("ab", 0), "");
}

TEST(Table, IsAsWideAsItsContent) {
  Table table{"A", "B"};
  for (const char* text : {"größe", "x", "y", ""})
    table.add(text);
  EXPECT_EQ(table.render({}),
            "A      B\n"
            "größe  x\n"
            "y\n");
}

}  // namespace
}  // namespace foster::ctl
