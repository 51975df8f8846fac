// region-read OBJECT: writes the nanoseconds that it takes to copy one slot of a daemon's status
// region, and all of its slots, in a process that has the region mapped. Each figure is the median
// of many passes.
#include <algorithm>
#include <cstdio>
#include <unistd.h>
#include <vector>

#include "common/instant.hpp"
#include "common/region/reader.hpp"

namespace {

using foster::region::Reader;

constexpr int kPasses = 101;
constexpr int kCopiesPerPass = 10'000;

/// The median time of one call of `work`, which may fail; below 0 when it did.
template <class Work>
double median_ns(int calls_per_pass, Work work) {
  std::vector<double> samples;
  for (int pass = 0; pass < kPasses; ++pass) {
    const foster::Instant begin = foster::now_since_boot();
    for (int call = 0; call < calls_per_pass; ++call) {
      if (!work()) return -1;
    }
    const foster::Duration took = foster::now_since_boot() - begin;
    samples.push_back(static_cast<double>(took.count()) / calls_per_pass);
  }
  std::ranges::nth_element(samples, samples.begin() + kPasses / 2);
  return samples[kPasses / 2];
}

bool copy_all(const Reader& reader, foster_slot_body& body) {
  const uint32_t count = reader.slot_count();
  for (uint32_t slot = 0; slot < count; ++slot) {
    if (!reader.copy_body(slot, body)) return false;
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: region-read OBJECT\n", stderr);
    return 64;
  }
  auto reader = Reader::open(argv[1], getuid());
  if (!reader) {
    std::fprintf(stderr, "%s\n", reader.error().message.c_str());
    return 1;
  }
  foster_slot_body body{};
  const double one_ns = median_ns(kCopiesPerPass, [&] { return reader->copy_body(0, body); });
  const double all_ns = median_ns(1, [&] { return copy_all(*reader, body); });
  if (one_ns < 0 || all_ns < 0) {
    std::fputs("cannot read the region: it is damaged\n", stderr);
    return 1;
  }
  std::printf("%.1f %.1f\n", one_ns, all_ns);
  return 0;
}
