// The writer that test_plain_region.py reads: argument 1 is the instance. Says "ready" once the
// region holds numbers that count the fields; upon a line of input it publishes without rest bodies
// whose numbers are all the same; at the end of its input it removes the region and ends.
#include <cstdio>
#include <cstring>
#include <poll.h>
#include <unistd.h>

#include "common/region/writer.hpp"

namespace foster::region {
namespace {

void set_texts(foster_slot_body& body) {
  std::strcpy(body.status_text, "serving");
  std::strcpy(body.detail, "as it should");
}

foster_slot_body counted_body() {
  foster_slot_body body{.state = 1,
                        .goal = 2,
                        .type = 3,
                        .cause = 4,
                        .exit_kind = 5,
                        .killed = 6,
                        .essential = 7,
                        .exit_clean = 8,
                        .pid = 9,
                        .exit_value = 10,
                        .restarts = 11,
                        .failures = 12,
                        .window_count = 13,
                        .reserved = 14,
                        .window_start_boot_ns = 15,
                        .attempt = 16,
                        .exit_attempt = 17,
                        .exits = 18,
                        .since_boot_ns = 19,
                        .since_real_ns = 20,
                        .started_boot_ns = 21,
                        .running_boot_ns = 22,
                        .exit_boot_ns = 23,
                        .exit_real_ns = 24,
                        .deadline_boot_ns = 25,
                        .exit_user_us = 26,
                        .exit_system_us = 27,
                        .exit_max_rss_kib = 28,
                        .job = 29,
                        .job_results = {30, 31, 32, 33},
                        .status_text = {},
                        .detail = {}};
  set_texts(body);
  return body;
}

foster_event counted_event() {
  foster_event event{.sequence = 0,
                     .boot_ns = 2,
                     .real_ns = 3,
                     .attempt = 4,
                     .pid = 5,
                     .value = 6,
                     .kind = 7,
                     .state = 8,
                     .cause = 9,
                     .exit_kind = 10,
                     .reserved = 11,
                     .name = {},
                     .text = {}};
  std::strcpy(event.name, "two");
  std::strcpy(event.text, "an event");
  return event;
}

foster_slot_body same_numbers(uint8_t n) {
  foster_slot_body body{};
  std::memset(&body, n, offsetof(foster_slot_body, status_text));
  set_texts(body);
  return body;
}

// Waits for input, or looks whether there is some; false at its end.
bool read_input(int timeout_ms) {
  pollfd entry{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
  char bytes[64];
  if (poll(&entry, 1, timeout_ms) == 0) return true;
  return read(STDIN_FILENO, bytes, sizeof bytes) > 0;
}

int run(const std::string& instance) {
  const OwnerFields owner{.manager_pid = getpid(),
                          .keeper_pid = getppid(),
                          .manager_restarts = 3,
                          .version_text = "1.2.3"};
  Result<Writer> writer =
      Writer::open({.object_name = "/foster." + instance, .instance = instance}, owner);
  if (!writer) return std::fprintf(stderr, "%s\n", writer.error().message.c_str()), 1;
  const std::vector<std::string> names{"one", "three", "two"};
  SlotUpdate update{.slot = 2, .body = counted_body()};
  const foster_event event = counted_event();
  const HeaderUpdate header{.phase = 1, .exit_code = -2, .last_attempt = 44, .last_job = 55};
  if (!writer->lay_out(names)) return 1;
  if (!writer->publish(std::span(&update, 1), std::span(&event, 1), header)) return 1;
  std::puts("ready");
  std::fflush(stdout);
  bool more = read_input(-1);
  for (uint8_t n = 0; more; ++n) {
    update.body = same_numbers(n);
    if (!writer->publish(std::span(&update, 1), {}, header)) return 1;
    more = read_input(0);
  }
  writer->remove();
  return 0;
}

}  // namespace
}  // namespace foster::region

int main(int count, char** arguments) {
  return count == 2 ? foster::region::run(arguments[1]) : 2;
}
