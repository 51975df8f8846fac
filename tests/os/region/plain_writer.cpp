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
                        .step = 6,
                        .health = 7,
                        .enablement = 8,
                        .flags = 9,
                        .blocker = 10,
                        .pid = 11,
                        .exit_value = 12,
                        .restarts = 13,
                        .failures = 14,
                        .window_count = 15,
                        .check_failures = 16,
                        .check_successes = 17,
                        .service_errno = 18,
                        .command_index = 19,
                        .hook_index = 20,
                        .hook_role = 21,
                        .check_role = 22,
                        .check_index = 23,
                        .claimed_pid = 24,
                        .hook_pid = 25,
                        .check_pid = 26,
                        .successor_pid = 27,
                        .former_pid = 28,
                        .trigger_count = 29,
                        .socket_count = 30,
                        .held_count = 31,
                        .reserved = 32,
                        .socket_ports = {33, 34, 35, 36},
                        .window_start_boot_ns = 37,
                        .trigger_start_boot_ns = 38,
                        .successor_deadline_boot_ns = 39,
                        .former_deadline_boot_ns = 40,
                        .successor_attempt = 41,
                        .former_attempt = 42,
                        .attempt = 43,
                        .exit_attempt = 44,
                        .exits = 45,
                        .since_boot_ns = 46,
                        .since_real_ns = 47,
                        .started_boot_ns = 48,
                        .running_boot_ns = 49,
                        .exit_boot_ns = 50,
                        .exit_real_ns = 51,
                        .deadline_boot_ns = 52,
                        .start_deadline_boot_ns = 53,
                        .watchdog_deadline_boot_ns = 54,
                        .runtime_deadline_boot_ns = 55,
                        .check_next_boot_ns = 56,
                        .hook_deadline_boot_ns = 57,
                        .check_deadline_boot_ns = 58,
                        .watchdog_ns = 59,
                        .timer_next_real_ns = 60,
                        .hook_attempt = 61,
                        .check_attempt = 62,
                        .exit_user_us = 63,
                        .exit_system_us = 64,
                        .exit_max_rss_kib = 65,
                        .job = 66,
                        .job_results = {67, 68, 69, 70},
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
  const std::vector<foster_edge> edges{{0, 2, FOSTER_EDGE_REQUIRES}, {1, 0, FOSTER_EDGE_AFTER}};
  SlotUpdate update{.slot = 2, .body = counted_body()};
  const foster_event event = counted_event();
  const HeaderUpdate header{.phase = 1, .exit_code = -2, .last_attempt = 44, .last_job = 55};
  if (!writer->lay_out(names, edges)) return 1;
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
