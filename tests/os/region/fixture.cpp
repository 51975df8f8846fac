#include "tests/os/region/fixture.hpp"

#include <csignal>
#include <cstring>
#include <ctime>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sem.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "common/check.hpp"
#include "common/region/guard.hpp"
#include "common/region/live_object.hpp"

namespace foster::region {
namespace {

constexpr size_t kWords = sizeof(foster_slot_body) / sizeof(uint64_t);

bool readable_in_time(int fd) {
  pollfd entry{.fd = fd, .events = POLLIN, .revents = 0};
  return poll(&entry, 1, kDeadlineMs) == 1;
}

uint64_t pattern_word(uint64_t number, size_t place) {
  return place == 0 ? number : (number + place) * 0x9e3779b97f4a7c15ull;
}

}  // namespace

SharedEvent::SharedEvent() : fd_(eventfd(0, EFD_CLOEXEC | EFD_SEMAPHORE)) {
  FOSTER_CHECK(static_cast<bool>(fd_));
}

void SharedEvent::notify() const {
  const uint64_t one = 1;
  FOSTER_CHECK(write(fd_.get(), &one, sizeof one) == sizeof one);
}

bool SharedEvent::wait(uint64_t count) const {
  for (; count > 0; --count) {
    uint64_t taken = 0;
    if (!readable_in_time(fd_.get())) return false;
    FOSTER_CHECK(read(fd_.get(), &taken, sizeof taken) == sizeof taken);
  }
  return true;
}

Child::Child(const std::function<int()>& body) {
  fflush(nullptr);
  pid_ = fork();
  FOSTER_CHECK(pid_ >= 0);
  if (pid_ != 0) return;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  _exit(body());
}

Child::~Child() {
  kill_hard();
}

void Child::signal(int number) const {
  FOSTER_CHECK(kill(pid_, number) == 0);
}

void Child::stop() const {
  signal(SIGSTOP);
  siginfo_t info{};
  FOSTER_CHECK(waitid(P_PID, static_cast<id_t>(pid_), &info, WSTOPPED) == 0);
}

void Child::kill_hard() {
  if (pid_ < 0) return;
  signal(SIGKILL);
  waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

int Child::join() {
  const UniqueFd process(static_cast<int>(syscall(SYS_pidfd_open, pid_, 0)));
  if (!process || !readable_in_time(process.get())) return -1;
  int status = 0;
  waitpid(pid_, &status, 0);
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void die_after(Duration time) {
  sigevent event{};
  event.sigev_notify = SIGEV_SIGNAL;
  event.sigev_signo = SIGKILL;
  timer_t timer{};
  FOSTER_CHECK(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
  const itimerspec when{.it_interval = {}, .it_value = {.tv_sec = 0, .tv_nsec = time.count()}};
  FOSTER_CHECK(timer_settime(timer, 0, &when, nullptr) == 0);
}

foster_slot_body patterned_body(uint64_t number) {
  uint64_t words[kWords];
  for (size_t i = 0; i < kWords; ++i)
    words[i] = pattern_word(number, i);
  foster_slot_body body;
  std::memcpy(&body, words, sizeof body);
  return body;
}

std::optional<uint64_t> number_of(const foster_slot_body& body) {
  uint64_t words[kWords];
  std::memcpy(words, &body, sizeof body);
  for (size_t i = 1; i < kWords; ++i)
    if (words[i] != pattern_word(words[0], i)) return std::nullopt;
  return words[0];
}

foster_event numbered_event(int32_t value) {
  foster_event event{};
  event.kind = FOSTER_EVENT_SIGNAL;
  event.value = value;
  std::strcpy(event.name, "unit");
  return event;
}

std::vector<std::string> unit_names(int count, std::string_view prefix) {
  std::vector<std::string> names;
  for (int i = 0; i < count; ++i) {
    const std::string digits = std::to_string(i);
    names.push_back(std::string(prefix) + std::string(4 - digits.size(), '0') + digits);
  }
  return names;
}

int semaphore_value(int id) {
  return semctl(id, 0, GETVAL);
}

bool semaphore_exists(int id) {
  return semctl(id, 0, GETVAL) >= 0;
}

RegionTest::RegionTest() {
  const testing::TestInfo& info = *testing::UnitTest::GetInstance()->current_test_info();
  name_ = "/foster.test-" + std::to_string(getpid()) + "-" + info.name();
}

RegionTest::~RegionTest() {
  if (Result<Predecessor> left = find_predecessor(name_, Provenance{}); left && left->object)
    Guard(left->object->header().semaphore_id).remove();
  shm_unlink(name_.c_str());
  shm_unlink(successor_name(name_).c_str());
}

WriterOptions RegionTest::options() const {
  return {.object_name = name_, .instance = name_.substr(8), .ring_capacity = 64};
}

OwnerFields RegionTest::owner() const {
  return {.manager_pid = getpid(), .keeper_pid = getpid(), .version_text = "test"};
}

Writer RegionTest::open_writer() const {
  Result<Writer> writer = Writer::open(options(), owner());
  EXPECT_EQ(message_of(writer), "");
  return std::move(writer).value();
}

Writer RegionTest::open_writer(int units) const {
  Writer writer = open_writer();
  EXPECT_EQ(message_of(writer.lay_out(unit_names(units))), "");
  return writer;
}

Reader RegionTest::open_reader() const {
  Result<Reader> reader = Reader::open(name_, geteuid());
  EXPECT_EQ(message_of(reader), "");
  return std::move(reader).value();
}

void publish_number(Writer& writer, uint32_t slot, uint64_t number) {
  const SlotUpdate update{.slot = slot, .body = patterned_body(number)};
  const Result<void> published =
      writer.publish(std::span(&update, 1), {},
                     {.phase = FOSTER_PHASE_RUNNING, .last_attempt = number, .last_job = number});
  FOSTER_CHECK(published.has_value());
}

}  // namespace foster::region
