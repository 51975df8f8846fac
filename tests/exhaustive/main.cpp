// foster-exhaustive: every small graph of units with every short string of events. For the first
// that breaks a promise it says how to see it again.
#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <unistd.h>
#include <vector>

#include "tests/exhaustive/small_graphs.hpp"
#include "tests/exhaustive/small_world.hpp"

namespace foster::exhaustive {
namespace {

struct Arguments {
  int deeper = 0;
  bool all = false;
  std::optional<size_t> graph;
  std::string manner;
  std::vector<size_t> string;
};

struct Size {
  size_t units;
  size_t edges;
  int depth;
};

// As deep as the default run's minute allows.
constexpr Size kSizes[] = {{1, 0, 6}, {2, 1, 4}, {2, 2, 4}, {3, 2, 3}, {3, 3, 2}, {4, 3, 2}};

// What the others mean to each other is seen in the larger graphs of the plain manners.
constexpr size_t kMostUnitsOfRareManners = 3;

constexpr char kUsage[] =
    "usage: foster-exhaustive [--deeper N] [--all] [--replay GRAPH MANNER STEP,STEP,...]\n"
    "  --deeper N   strings of N more events than usual\n"
    "  --all        the first violation of each graph, instead of the first of all\n"
    "  --replay     one case with a trace, as a violation names it\n";

// What an aborting check leaves behind: the command that leads there again.
char replay_line[256];

void say_replay(int) {
  if (write(STDOUT_FILENO, replay_line, std::string_view(replay_line).size()) < 0) std::_Exit(2);
  std::_Exit(1);
}

std::vector<Step> alphabet(size_t units, Manner manner) {
  std::vector<Step> steps;
  for (uint32_t unit = 0; unit < units; ++unit) {
    for (const What what : per_unit(manner))
      steps.push_back({what, unit});
  }
  steps.push_back({What::timer_due, 0});
  steps.push_back({What::crash, 0});
  return steps;
}

/// All strings of one length over one set of units, in order; those with a step that is impossible
/// where it stands are cut off there.
class Strings {
 public:
  Strings(size_t graph, const SmallGraph& shape, Manner manner)
      : graph_(graph),
        manner_(manner),
        shape_(shape),
        set_(std::make_shared<const UnitSet>(unit_specs(shape, manner))),
        alphabet_(alphabet(shape.units, manner)) {}

  bool all(int depth) {
    string_.assign(static_cast<size_t>(depth), 0);
    do {
      if (!run(false)) return false;
    } while (advance());
    return true;
  }

  bool replay(const std::vector<size_t>& string) {
    string_ = string;
    std::printf("%s\n", describe(shape_).c_str());
    return run(true);
  }

  [[nodiscard]] uint64_t strings() const { return strings_; }
  [[nodiscard]] uint64_t events() const { return events_; }

 private:
  bool run(bool trace) {
    note_replay();
    SmallWorld world(set_, trace);
    impossible_ = string_.size();
    for (size_t i = 0; i < string_.size() && world.violation().empty(); ++i) {
      const Step step = alphabet_[string_[i]];
      if (!world.possible(step)) {
        impossible_ = i;
        return true;
      }
      world.happen(step);
    }
    ++strings_;
    if (world.violation().empty()) world.heal_and_end();
    events_ += world.events();
    if (world.violation().empty()) return true;
    std::printf("VIOLATION: %s\n  %s\n%s", world.violation().c_str(), describe(shape_).c_str(),
                replay_line);
    return false;
  }

  /// The next string; what follows an impossible step is left out.
  bool advance() {
    size_t place = std::min(impossible_ + 1, string_.size());
    std::fill(string_.begin() + static_cast<std::ptrdiff_t>(place), string_.end(), 0);
    while (place > 0 && ++string_[place - 1] == alphabet_.size())
      string_[--place] = 0;
    return place > 0;
  }

  void note_replay() {
    std::string steps;
    std::string words;
    for (const size_t step : string_) {
      steps += (steps.empty() ? "" : ",") + std::to_string(step);
      words += (words.empty() ? "" : "; ") + describe(*set_, alphabet_[step]);
    }
    std::snprintf(replay_line, sizeof(replay_line),
                  "  %s\nsee it again with\n  foster-exhaustive --replay %zu %s %s\n",
                  words.c_str(), graph_, manner_text(manner_), steps.c_str());
  }

  size_t graph_;
  Manner manner_;
  const SmallGraph& shape_;
  std::shared_ptr<const UnitSet> set_;
  std::vector<Step> alphabet_;
  std::vector<size_t> string_;
  size_t impossible_ = 0;
  uint64_t strings_ = 0;
  uint64_t events_ = 0;
};

struct Totals {
  size_t graphs = 0;
  uint64_t strings = 0;
  uint64_t events = 0;
};

bool run_size(const Size& size, const Arguments& arguments, Totals& totals) {
  bool good = true;
  for (const SmallGraph& graph : small_graphs(size.units, size.edges)) {
    for (const Manner manner : kManners) {
      const bool rare = manner == Manner::listening || manner == Manner::replaced;
      if (rare && size.units > kMostUnitsOfRareManners) continue;
      Strings strings(totals.graphs, graph, manner);
      good = strings.all(size.depth + arguments.deeper) && good;
      if (!good && !arguments.all) return false;
      totals.strings += strings.strings();
      totals.events += strings.events();
    }
    ++totals.graphs;
  }
  return good;
}

int run(const Arguments& arguments) {
  Totals totals;
  bool good = true;
  const auto began = std::chrono::steady_clock::now();
  for (const Size& size : kSizes) {
    const uint64_t before = totals.strings;
    const size_t graphs = totals.graphs;
    good = run_size(size, arguments, totals) && good;
    if (!good && !arguments.all) return 1;
    std::printf("%zu units, %zu edges: %zu graphs, strings of %d: %llu\n", size.units, size.edges,
                totals.graphs - graphs, size.depth + arguments.deeper,
                static_cast<unsigned long long>(totals.strings - before));
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  std::printf("%zu graphs, %llu strings, %llu events, %s; %.0f events/s\n", totals.graphs,
              static_cast<unsigned long long>(totals.strings),
              static_cast<unsigned long long>(totals.events), good ? "no violation" : "violations",
              static_cast<double>(totals.events) / took.count());
  return good ? 0 : 1;
}

int replay(const Arguments& arguments) {
  size_t first = 0;
  for (const Size& size : kSizes) {
    const std::vector<SmallGraph> graphs = small_graphs(size.units, size.edges);
    if (*arguments.graph < first + graphs.size()) {
      const auto named = [&](Manner manner) { return arguments.manner == manner_text(manner); };
      const auto manner = std::ranges::find_if(kManners, named);
      if (manner == std::end(kManners)) break;
      Strings strings(*arguments.graph, graphs[*arguments.graph - first], *manner);
      return strings.replay(arguments.string) ? 0 : 1;
    }
    first += graphs.size();
  }
  std::fputs("there is no such graph or manner\n", stderr);
  return 2;
}

std::vector<size_t> numbers(const char* text) {
  std::vector<size_t> result;
  for (char* rest = nullptr; *text != '\0'; text = *rest == ',' ? rest + 1 : rest) {
    result.push_back(std::strtoull(text, &rest, 10));
    if (rest == text) break;
  }
  return result;
}

std::optional<Arguments> parse(int argc, char** argv) {
  Arguments arguments;
  for (int i = 1; i < argc; ++i) {
    const std::string_view key = argv[i];
    if (key == "--all") {
      arguments.all = true;
    } else if (key == "--deeper" && i + 1 < argc) {
      arguments.deeper = std::atoi(argv[++i]);
    } else if (key == "--replay" && i + 3 < argc) {
      arguments.graph = std::strtoull(argv[i + 1], nullptr, 10);
      arguments.manner = argv[i + 2];
      arguments.string = numbers(argv[i + 3]);
      i += 3;
    } else {
      return std::nullopt;
    }
  }
  return arguments;
}

}  // namespace
}  // namespace foster::exhaustive

int main(int argc, char** argv) {
  const auto arguments = foster::exhaustive::parse(argc, argv);
  if (!arguments.has_value()) {
    std::fputs(foster::exhaustive::kUsage, stderr);
    return 2;
  }
  setvbuf(stdout, nullptr, _IOLBF, 0);  // so that a trace is whole when a check aborts
  std::signal(SIGABRT, foster::exhaustive::say_replay);
  return arguments->graph.has_value() ? foster::exhaustive::replay(*arguments)
                                      : foster::exhaustive::run(*arguments);
}
