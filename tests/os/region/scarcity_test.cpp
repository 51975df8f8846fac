// A region on a system that is short of what it needs, each shortage in a namespace of its own.
#include <cerrno>
#include <fcntl.h>
#include <sched.h>
#include <string_view>
#include <sys/mount.h>

#include "common/region/guard.hpp"
#include "tests/os/region/fixture.hpp"

namespace foster::region {
namespace {

// A child exits with this when it may not have a namespace here.
constexpr int kNotPermitted = 77;

class ScarcityTest : public RegionTest {
 protected:
  static bool shm_of_size(const char* size) {
    return unshare(CLONE_NEWNS) == 0 &&
           mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
           mount("tmpfs", "/dev/shm", "tmpfs", 0, size) == 0;
  }

  // SEMMSL, SEMMNS, SEMOPM, SEMMNI: see proc(5).
  static bool one_semaphore_set_at_most() {
    if (unshare(CLONE_NEWIPC) != 0) return false;
    const UniqueFd limits(open("/proc/sys/kernel/sem", O_WRONLY | O_CLOEXEC));
    constexpr std::string_view kLimits = "100 100 100 1";
    return write(limits.get(), kLimits.data(), kLimits.size()) == std::ssize(kLimits);
  }

  static void run_in_child(const std::function<int()>& body) {
    Child child(body);
    const int code = child.join();
    if (code == kNotPermitted) GTEST_SKIP() << "needs root to have a namespace of its own";
    EXPECT_EQ(code, 0);
  }

  int open_in_a_full_shm() const {
    if (!shm_of_size("size=8k")) return kNotPermitted;
    const Result<Writer> writer = Writer::open(options(), owner());
    if (writer || writer.error().system_error != ENOSPC) return 1;
    return identify_object(name()) || identify_object(successor_name(name())) ? 2 : 0;
  }

  int grow_in_a_small_shm() const {
    if (!shm_of_size("size=256k")) return kNotPermitted;
    Result<Writer> writer = Writer::open(options(), owner());
    if (!writer || !writer->lay_out(unit_names(20))) return 1;
    publish_number(*writer, 19, 3);
    Reader reader = open_reader();
    const Result<void> grown = writer->lay_out(unit_names(1000));
    if (grown || grown.error().system_error != ENOSPC) return 2;
    publish_number(*writer, 19, 4);
    const Result<bool> changed = reader.refresh();
    if (!changed || *changed || reader.header().retired != 0) return 3;
    foster_slot_body body;
    if (!reader.copy_body(19, body) || number_of(body) != 4) return 4;
    const int semaphore = writer->header().semaphore_id;
    if (semaphore_value(semaphore) != 0) return 5;
    writer->remove();
    return semaphore_exists(semaphore) ? 6 : 0;
  }

  int publish_without_a_guard() const {
    if (!one_semaphore_set_at_most()) return kNotPermitted;
    Writer writer = open_writer(1);
    Guard(writer.header().semaphore_id).remove();
    const Result<Guard> others = Guard::create();
    const SlotUpdate update{.slot = 0, .body = patterned_body(6)};
    const Result<void> published = writer.publish(std::span(&update, 1), {}, {});
    if (!others || published || published.error().system_error != ENOSPC) return 1;
    const Reader reader = open_reader();
    foster_slot_body body;
    if (!reader.copy_body(0, body) || number_of(body) != 6) return 2;
    others->remove();
    publish_number(writer, 0, 7);
    if (!reader.copy_body(0, body) || number_of(body) != 7) return 3;
    return semaphore_value(writer.header().semaphore_id) == 0 ? 0 : 4;
  }

  int open_without_a_guard() const {
    if (!one_semaphore_set_at_most() || !Guard::create()) return kNotPermitted;
    const Result<Writer> writer = Writer::open(options(), owner());
    if (writer || writer.error().system_error != ENOSPC) return 1;
    return identify_object(name()) || identify_object(successor_name(name())) ? 2 : 0;
  }
};

TEST_F(ScarcityTest, AFullShmIsAnErrorAtOpen) {
  run_in_child([this] { return open_in_a_full_shm(); });
}

TEST_F(ScarcityTest, AShmThatFillsUpLeavesThePresentLayoutInForce) {
  run_in_child([this] { return grow_in_a_small_shm(); });
}

TEST_F(ScarcityTest, WhatIsPublishedWithoutAGuardArrivesAllTheSame) {
  run_in_child([this] { return publish_without_a_guard(); });
}

TEST_F(ScarcityTest, NoGuardToBeHadIsAnErrorAtOpen) {
  run_in_child([this] { return open_without_a_guard(); });
}

}  // namespace
}  // namespace foster::region
