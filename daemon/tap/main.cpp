// foster-tap --program PATH [--match REGEX --ready-fd N] [--tail-fd N] -- ARGV0 [ARGUMENT]...
#include <getopt.h>

#include <cstdio>
#include <cstdlib>

#include "daemon/tap/tap.hpp"

namespace {

constexpr int kUsage = 2;

constexpr option kOptions[] = {{"program", required_argument, nullptr, 'p'},
                               {"match", required_argument, nullptr, 'm'},
                               {"ready-fd", required_argument, nullptr, 'r'},
                               {"tail-fd", required_argument, nullptr, 't'},
                               {"help", no_argument, nullptr, 'h'},
                               {"version", no_argument, nullptr, 'V'},
                               {nullptr, 0, nullptr, 0}};

constexpr char kHelp[] =
    "usage: foster-tap --program PATH [--match REGEX --ready-fd N] [--tail-fd N] -- ARGV...\n"
    "Started by foster in a service's place: watches its output, and becomes the service.\n";

bool descriptor(const char* text, int& fd) {
  char* end = nullptr;
  const long number = std::strtol(text, &end, 10);
  if (end == text || *end != '\0' || number < 3 || number > 1'000'000) return false;
  fd = static_cast<int>(number);
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  foster::tap::Options options;
  for (;;) {
    const int found = getopt_long(argc, argv, "+", kOptions, nullptr);
    if (found == -1) break;
    bool right = true;
    switch (found) {
      case 'p':
        options.program = optarg;
        break;
      case 'm':
        options.match = optarg;
        break;
      case 'r':
        right = descriptor(optarg, options.ready_fd);
        break;
      case 't':
        right = descriptor(optarg, options.tail_fd);
        break;
      case 'h':
        std::fputs(kHelp, stdout);
        return 0;
      case 'V':
        std::puts("foster-tap " FOSTER_VERSION);
        return 0;
      default:
        right = false;
    }
    if (!right) {
      std::fputs(kHelp, stderr);
      return kUsage;
    }
  }
  options.arguments = argv + optind;
  if (options.program.empty() || optind >= argc) {
    std::fputs(kHelp, stderr);
    return kUsage;
  }
  return foster::tap::become_service(options);
}
