// Whatever the text: never a crash, and always either a unit or a complaint with a place that
// exists.

#include <algorithm>
#include <random>

#include "common/unit/source_text.hpp"
#include "tests/unit/unit_file/parsing.hpp"

namespace foster {
namespace {

constexpr std::string_view kValid = R"(# A unit with a bit of everything.
description = "Größe \u00e9" # comment
essential = true

[service]
type = "simple"
command = [
  "/usr/bin/${NAME}", 'lit"eral', "a\\b$$c",   # over lines
  """multi
line ${X}""",
]
user = "www-data"
umask = 0o022
environment = { LANG = "C.UTF-8", "a.b" = "1" }
environment-files = ["-/etc/default/web"]
success-exit-codes = [0, 3]

[restart]
policy = "on-failure"
delay = "200ms"
factor = 2.0
max-delay = "1min 30s"
jitter = 0.1
limit = 5

limit-action = "start-unit"
limit-unit = "rescue"
force-exit-codes = [9]

[stop]
signal = "SIGTERM"
timeout = "10s"

[depends]
requires = ["db", "-worker@3"]
before = ["%p-late"]

[ready]
http = "http://localhost:80/%%20?x=%n"
http-status = 204

[health]
command = ["check", "${A}"]
memory-max = "1.5GiB"

[hooks]
post-stop = [["/bin/a"], ["/bin/b", "%%"]]
reload-signal = "HUP"

[timer]
calendar = ["Mon..Fri 09:00", "daily"]

[[socket]]
listen = "tcp://[fe80::1%%eth0]:80"
name = "http"
[[socket]]
listen = "unix://@%n"
backlog = 10
[conditions]
path-exists = ["/a", "!/b"]
command = ["!/bin/c"]
)";

/// What must hold for every text. Returns what does not.
std::string broken_promise(const std::string& text) {
  const ParsedUnit parsed = parse_unit({"web.toml", text});
  if (parsed.spec.has_value() != parsed.diagnostics.empty()) return "neither or both";
  const auto lines = static_cast<uint32_t>(std::ranges::count(text, '\n') + 1);
  for (const Diagnostic& diagnostic : parsed.diagnostics) {
    if (diagnostic.message.empty()) return "says nothing";
    if (diagnostic.line == 0) continue;
    if (diagnostic.line > lines) return "a line that is not there: " + render(diagnostic);
    const uint32_t width = count_characters(line_of(text, diagnostic.line));
    // One behind the end (two before "\r\n") is where something is missing.
    if (diagnostic.column < 1 || diagnostic.column > width + 2)
      return "a column that is not there: " + render(diagnostic);
    if (diagnostic.length < 1) return "no length: " + render(diagnostic);
    if (render(diagnostic).empty()) return "not rendered";
  }
  return {};
}

TEST(Robustness, TheWholeTextIsRight) {
  EXPECT_EQ(testing::complaints(std::string(kValid)), "");
}

TEST(Robustness, EveryPrefix) {
  for (size_t length = 0; length <= kValid.size(); ++length) {
    ASSERT_EQ(broken_promise(std::string(kValid.substr(0, length))), "") << "length " << length;
  }
}

TEST(Robustness, EveryByteLeftOutAndEveryByteDoubled) {
  for (size_t at = 0; at < kValid.size(); ++at) {
    std::string text(kValid);
    text.erase(at, 1);
    ASSERT_EQ(broken_promise(text), "") << "without byte " << at;
    text = kValid;
    text.insert(at, 1, text[at]);
    ASSERT_EQ(broken_promise(text), "") << "byte " << at << " doubled";
  }
}

/// A text that differs from the valid one in a few random ways.
class Mutator {
 public:
  explicit Mutator(uint32_t seed) : random_(seed) {}

  std::string mutated() {
    std::string text(kValid);
    const size_t changes = 1 + below(4);
    for (size_t i = 0; i < changes && !text.empty(); ++i)
      change(text);
    return text;
  }

 private:
  size_t below(size_t limit) { return random_() % limit; }

  void change(std::string& text) {
    // Pieces of TOML's own syntax, and of what a unit may say, do more harm than random bytes.
    static constexpr std::string_view kPieces[] = {"[",
                                                   "]",
                                                   "{",
                                                   "}",
                                                   "\"",
                                                   "'",
                                                   "\"\"\"",
                                                   "'''",
                                                   "=",
                                                   ".",
                                                   ",",
                                                   "\n",
                                                   "\r\n",
                                                   "#",
                                                   "\\",
                                                   "[[",
                                                   "]]",
                                                   "[stop]",
                                                   "[[socket]]",
                                                   "0",
                                                   "-1",
                                                   "$",
                                                   "${",
                                                   " ",
                                                   "é",
                                                   "\t",
                                                   "nan",
                                                   "1e999",
                                                   "true",
                                                   "\\u12",
                                                   "9999999999999999999999",
                                                   "[service]\n"};
    const size_t at = below(text.size());
    switch (below(5)) {
      case 0:
        text[at] = static_cast<char>(below(256));
        break;
      case 1:
        text.erase(at, 1 + below(20));
        break;
      case 2:
        text.insert(at, kPieces[below(std::size(kPieces))]);
        break;
      case 3: {
        const std::string piece = text.substr(at, 1 + below(60));
        text.insert(below(text.size()), piece);
        break;
      }
      case 4:
        text.resize(at);
        break;
    }
  }

  std::mt19937 random_;
};

TEST(Robustness, TenThousandMutations) {
  for (uint32_t seed = 1; seed <= 10'000; ++seed) {
    const std::string text = Mutator(seed).mutated();
    ASSERT_EQ(broken_promise(text), "") << "seed " << seed << ":\n" << text;
  }
}

TEST(Robustness, ALongFileOfMistakesAgainstTomlIsGivenUpInTime) {
  std::string text = "[service]\n";
  while (text.size() < 200'000)
    text += "user = nobody\n";
  const ParsedUnit parsed = parse_unit({"web.toml", text});
  EXPECT_EQ(parsed.diagnostics.size(), 20U);
}

TEST(Robustness, TheLongestFileThatIsRead) {
  std::string text = testing::with_command("");
  text += std::string(kUnitFileMax - text.size(), '#');
  EXPECT_EQ(testing::complaints(text), "");
}

}  // namespace
}  // namespace foster
