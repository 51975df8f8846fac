// foster-probe-http: what foster-probe executes for a check by HTTP, with its own command line.
#include <cstdio>
#include <variant>
#include <vector>

#include "daemon/probe/http_probe.hpp"
#include "daemon/probe/options.hpp"

namespace foster::probe {

static int run(const std::vector<std::string>& words) {
  const auto options = parse_options(words);
  const auto* target = options ? std::get_if<HttpTarget>(&options->target) : nullptr;
  if (target == nullptr) {
    std::fprintf(stderr, "foster-probe-http: %s\n%s",
                 options ? "this program is for http alone" : options.error().message.c_str(),
                 kUsageText);
    return kUsage;
  }
  const auto good = probe_http(*target, options->timeout_ms);
  if (good) return kGood;
  std::fprintf(stderr, "foster-probe: %s\n", good.error().message.c_str());
  return kNotGood;
}

}  // namespace foster::probe

int main(int argc, char** argv) {
  return foster::probe::run({argv + (argc > 0 ? 1 : 0), argv + argc});
}
