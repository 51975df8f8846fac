#include "tests/os/manager/rig.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

namespace foster::manager {
namespace {

constexpr uint64_t kPatienceUs = 60'000'000;

}  // namespace

TestFolder::TestFolder() {
  char name[] = "/tmp/foster-manager.XXXXXX";
  path = mkdtemp(name);
}

TestFolder::~TestFolder() {
  std::system(("rm -rf " + path).c_str());
}

TestChild::TestChild(const std::function<void()>& work) : pid_(fork()) {
  if (pid_ != 0) return;
  work();
  _exit(0);
}

TestChild::~TestChild() {
  if (pid_ <= 0) return;
  kill(pid_, SIGKILL);
  wait();
}

int TestChild::wait() {
  int status = 0;
  waitpid(pid_, &status, 0);
  pid_ = -1;
  return status;
}

Rig::Rig() {
  sd_event_new(&loop_);
  UniqueFd manager_end;
  EXPECT_EQ(ipc::make_pair(manager_end, keeper_end_), 0);
  keeper_ = std::make_unique<KeeperClient>(std::move(manager_end));
}

Rig::~Rig() {
  sd_event_unref(loop_);
}

void Rig::set_unit(UnitSpec unit, const core::UnitRecord& record) {
  if (unit.command.empty()) unit.command = {"/bin/true"};
  std::vector<UnitSpec> units;
  units.push_back(std::move(unit));
  core_ = std::make_unique<core::Supervisor>(std::make_shared<UnitSet>(std::move(units)),
                                             core::Options{});
  core::Recovered found;
  const bool lives = record.pid != 0;
  found.units.push_back({.unit = {0},
                         .record = record,
                         .live_attempt = lives ? record.attempt : Attempt{},
                         .pid = record.pid,
                         .live_successor = record.successor.attempt});
  core_->recover(found, now_since_boot());
}

std::function<void(core::Event)> Rig::queue() {
  return [this](core::Event event) { events_.push_back(std::move(event)); };
}

void Rig::run_until(const std::function<bool()>& condition) {
  while (!condition()) {
    const int r = sd_event_run(loop_, kPatienceUs);
    ASSERT_GT(r, 0) << "waited in vain";
  }
}

void Rig::run_what_is_ready() {
  while (sd_event_run(loop_, 0) > 0) {
  }
}

void Rig::hear_manager() {
  keeper_->flush();
  while (reader_.receive(keeper_end_.get(), true) == ipc::PacketReader::Outcome::packet) {
    ipc::Record record;
    while (reader_.next(record)) {
      protocol::StoredDescriptor stored{};
      ASSERT_EQ(record.size, sizeof stored);
      std::memcpy(&stored, record.body, sizeof stored);
      std::erase_if(held_, [&](const auto& one) { return one.name == stored.name; });
      if (static_cast<protocol::Type>(record.type) == protocol::Type::store_descriptor)
        held_.push_back({stored.name, reader_.take_fd(0)});
    }
  }
}

std::vector<HandedDescriptor> Rig::kept() {
  hear_manager();
  std::vector<HandedDescriptor> copies;
  for (const HandedDescriptor& one : held_)
    copies.push_back({one.name, UniqueFd(fcntl(one.fd.get(), F_DUPFD_CLOEXEC, 3))});
  return copies;
}

}  // namespace foster::manager
