// What the region costs in a process that has it mapped: a slot, all slots, a publish; medians of
// many rounds. Prints one line each: "<what> <median ns> ns (<least> to <most>)".
#include <algorithm>
#include <cstdio>
#include <functional>
#include <unistd.h>

#include "common/region/reader.hpp"
#include "common/region/writer.hpp"

namespace foster::region {
namespace {

constexpr uint32_t kUnits = 1000;
constexpr int kRounds = 201;

void measure(const char* what, int repetitions, const std::function<void()>& operation) {
  std::vector<int64_t> rounds;
  for (int round = 0; round < kRounds; ++round) {
    const Instant start = now_since_boot();
    for (int i = 0; i < repetitions; ++i)
      operation();
    rounds.push_back((now_since_boot() - start).count() / repetitions);
  }
  std::ranges::sort(rounds);
  std::printf("%-34s %8ld ns (%ld to %ld)\n", what, rounds[kRounds / 2], rounds.front(),
              rounds.back());
}

std::vector<std::string> names() {
  std::vector<std::string> names;
  for (uint32_t i = 0; i < kUnits; ++i)
    names.push_back("unit-" + std::to_string(10000 + i));
  return names;
}

void measure_reading(const Reader& reader) {
  foster_slot_body body;
  uint32_t next = 0;
  measure("one slot, hot", 1000, [&] { static_cast<void>(reader.copy_body(7, body)); });
  measure("one slot, each in turn", 1000, [&] {
    static_cast<void>(reader.copy_body(next, body));
    next = (next + 1) % kUnits;
  });
  measure("one slot, found by its name", 1000, [&] {
    const auto index = reader.find("unit-10777");
    static_cast<void>(reader.copy_body(*index, body));
  });
  measure("all 1000 slots", 1, [&] {
    for (uint32_t i = 0; i < kUnits; ++i)
      static_cast<void>(reader.copy_body(i, body));
  });
  measure("all 1000 slots, with their names", 1, [&] {
    for (uint32_t i = 0; i < kUnits; ++i)
      static_cast<void>(reader.slot(i));
  });
}

void measure_writing(Writer& writer) {
  std::vector<SlotUpdate> updates;
  for (uint32_t i = 0; i < kUnits; ++i)
    updates.push_back({.slot = i});
  const foster_event event{};
  const auto publish = [&](size_t slots) {
    static_cast<void>(
        writer.publish(std::span(updates).first(slots), std::span(&event, slots > 0 ? 1 : 0), {}));
  };
  measure("publish of nothing", 100, [&] { publish(0); });
  measure("publish of one slot and an event", 100, [&] { publish(1); });
  measure("publish of 1000 slots", 1, [&] { publish(kUnits); });
}

int run() {
  const std::string instance = "bench-" + std::to_string(getpid());
  const std::string object = "/foster." + instance;
  Result<Writer> writer =
      Writer::open({.object_name = object, .instance = instance},
                   {.manager_pid = getpid(), .keeper_pid = getpid(), .version_text = "bench"});
  if (!writer || !writer->lay_out(names())) return 1;
  const Result<Reader> reader = Reader::open(object, geteuid());
  if (!reader) return 1;
  measure_reading(*reader);
  measure_writing(*writer);
  measure("open, read one slot, close", 1, [&] {
    const Result<Reader> other = Reader::open(object, geteuid());
    static_cast<void>(other->slot(500));
  });
  writer->remove();
  return 0;
}

}  // namespace
}  // namespace foster::region

int main() {
  return foster::region::run();
}
