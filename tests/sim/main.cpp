// foster-sim: runs seeds of the simulation and says, for the first that breaks a promise, how to
// see it again.
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <unistd.h>
#include <vector>

#include "tests/sim/simulation.hpp"

namespace foster::sim {
namespace {

struct Arguments {
  std::vector<uint64_t> seeds;
  uint64_t first = 1;
  uint64_t last = 0;  // below `first`: no range
  uint64_t events = 20'000;
  bool trace = false;
  bool twice = false;
};

constexpr char kUsage[] =
    "usage: foster-sim [--seed N | --seeds FROM..TO | --seeds-from FILE] [--events N] [--trace]\n"
    "                  [--twice]\n"
    "  --seed N           run one seed\n"
    "  --seeds FROM..TO   run a range of seeds\n"
    "  --seeds-from FILE  run the seeds in a file, one a line, # begins a comment\n"
    "  --events N         events with faults on per seed (20000); healing and shutdown come on "
    "top\n"
    "  --trace            print every event and action\n"
    "  --twice            run each seed twice and compare the traces\n";

// What an aborting check leaves behind: the command that leads there again.
char replay_line[160];

void say_replay(int) {
  if (write(STDOUT_FILENO, replay_line, std::string_view(replay_line).size()) < 0) std::_Exit(2);
  std::_Exit(1);
}

bool read_seeds(const char* path, std::vector<uint64_t>& seeds) {
  std::ifstream file(path);
  if (!file) return false;
  for (std::string line; std::getline(file, line);) {
    if (!line.empty() && line[0] != '#') seeds.push_back(std::stoull(line));
  }
  return true;
}

std::optional<Arguments> parse(int argc, char** argv) {
  Arguments arguments;
  for (int i = 1; i < argc; ++i) {
    const std::string_view key = argv[i];
    if (key == "--trace") {
      arguments.trace = true;
      continue;
    }
    if (key == "--twice") {
      arguments.twice = true;
      continue;
    }
    if (i + 1 == argc) return std::nullopt;
    char* rest = argv[++i];
    if (key == "--seed") {
      arguments.seeds.push_back(std::strtoull(rest, &rest, 10));
    } else if (key == "--events") {
      arguments.events = std::strtoull(rest, &rest, 10);
    } else if (key == "--seeds-from") {
      if (!read_seeds(rest, arguments.seeds)) return std::nullopt;
      continue;
    } else if (key == "--seeds") {
      arguments.first = std::strtoull(rest, &rest, 10);
      if (std::string_view(rest).substr(0, 2) != "..") return std::nullopt;
      arguments.last = std::strtoull(rest + 2, &rest, 10);
    } else {
      return std::nullopt;
    }
    if (*rest != '\0') return std::nullopt;
  }
  if (arguments.seeds.empty() && arguments.last < arguments.first) return std::nullopt;
  return arguments;
}

struct Totals {
  uint64_t seeds = 0;
  uint64_t events = 0;
  uint64_t crashes = 0;
  uint64_t hash = 0;
};

bool run_seed(const Arguments& arguments, uint64_t seed, Totals& totals) {
  const Options options{.seed = seed, .events = arguments.events, .trace = arguments.trace};
  std::snprintf(replay_line, sizeof(replay_line),
                "seed %llu: see it again with\n  foster-sim --seed %llu --events %llu --trace\n",
                static_cast<unsigned long long>(seed), static_cast<unsigned long long>(seed),
                static_cast<unsigned long long>(arguments.events));
  Outcome outcome = Simulation(options).run();
  if (arguments.twice && outcome.violation.empty() &&
      Simulation(options).run().hash != outcome.hash) {
    outcome.violation = "the same seed led to another trace";
  }
  ++totals.seeds;
  totals.events += outcome.events;
  totals.crashes += outcome.crashes;
  totals.hash = totals.hash * 31 + outcome.hash;
  if (outcome.violation.empty()) return true;
  std::printf("VIOLATION after %llu events: %s\n%s",
              static_cast<unsigned long long>(outcome.events), outcome.violation.c_str(),
              replay_line);
  return false;
}

int run(const Arguments& arguments) {
  Totals totals;
  const auto began = std::chrono::steady_clock::now();
  for (const uint64_t seed : arguments.seeds) {
    if (!run_seed(arguments, seed, totals)) return 1;
  }
  for (uint64_t seed = arguments.first; seed <= arguments.last; ++seed) {
    if (!run_seed(arguments, seed, totals)) return 1;
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  std::printf(
      "%llu seeds, %llu events, %llu manager crashes, no violation; %.0f events/s; "
      "trace hash %016llx\n",
      static_cast<unsigned long long>(totals.seeds), static_cast<unsigned long long>(totals.events),
      static_cast<unsigned long long>(totals.crashes),
      static_cast<double>(totals.events) / took.count(),
      static_cast<unsigned long long>(totals.hash));
  return 0;
}

}  // namespace
}  // namespace foster::sim

int main(int argc, char** argv) {
  const auto arguments = foster::sim::parse(argc, argv);
  if (!arguments.has_value()) {
    std::fputs(foster::sim::kUsage, stderr);
    return 2;
  }
  setvbuf(stdout, nullptr, _IOLBF, 0);  // so that a trace is whole when a check aborts
  std::signal(SIGABRT, foster::sim::say_replay);
  return foster::sim::run(*arguments);
}
