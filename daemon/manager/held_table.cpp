#include "daemon/manager/held_table.hpp"

#include <fcntl.h>
#include <linux/kcmp.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <utility>

#include "common/check.hpp"
#include "common/unit/held_max.hpp"
#include "daemon/protocol/keeper_protocol.hpp"

namespace foster::manager {
namespace {

/// Of one unit: what the keeper can pass on with one start, less what the start needs besides.
constexpr size_t kUnitMax = kHeldMax;
static_assert(kUnitMax + 10 <= protocol::kSpawnDescriptorsMax);

/// What manager and keeper may have open for themselves, and in passing.
constexpr rlim_t kSetAside = 128;

/// The keeper holds as many as we do, and each once more while it passes them on.
size_t most_at_once() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur <= kSetAside) return 0;
  const rlim_t usable = (limit.rlim_cur - kSetAside) / 2;
  return std::min<rlim_t>(usable, protocol::kUnitDescriptorsMax);
}

bool is_memory(int fd) {
  char target[16] = {};
  const std::string link = "/proc/self/fd/" + std::to_string(fd);
  return readlink(link.c_str(), target, sizeof target - 1) > 0 &&
         std::string_view(target).starts_with("/memfd:");
}

/// Of files that nobody but by such a descriptor can open.
bool same_inode(int one, int other) {
  struct stat first {};
  struct stat second {};
  if (fstat(one, &first) != 0 || fstat(other, &second) != 0) return false;
  if (first.st_dev != second.st_dev || first.st_ino != second.st_ino) return false;
  // The two ends of a pipe are of one inode.
  const auto mode = [](int fd) { return fcntl(fd, F_GETFL) & O_ACCMODE; };
  if (S_ISFIFO(first.st_mode)) return mode(one) == mode(other);
  return S_ISSOCK(first.st_mode) || (S_ISREG(first.st_mode) && is_memory(one));
}

}  // namespace

HeldTable::HeldTable(KeeperClient& keeper) : keeper_(keeper), most_(most_at_once()) {}

Held& HeldTable::restore(UnitIndex unit, HeldName what, std::string kept_as, UniqueFd fd) {
  auto held = std::make_unique<Held>();
  last_serial_ = std::max(last_serial_, what.serial);
  held->what = std::move(what);
  held->kept_as = std::move(kept_as);
  held->unit = unit;
  held->fd = std::move(fd);
  Row& row = rows_[unit.value];
  const auto after = std::ranges::upper_bound(row, held->what.serial, {},
                                              [](const auto& one) { return one->what.serial; });
  ++count_;
  return **row.insert(after, std::move(held));
}

Held& HeldTable::add(UnitIndex unit, HeldName what, UniqueFd fd) {
  what.serial = last_serial_ + 1;
  std::string kept_as = held_name_text(what);
  keeper_.store(kept_as, fd.get());
  return restore(unit, std::move(what), std::move(kept_as), std::move(fd));
}

void HeldTable::rename(Held& held) {
  std::string name = held_name_text(held.what);
  keeper_.store(name, held.fd.get());
  keeper_.drop(held.kept_as);
  held.kept_as = std::move(name);
}

uint32_t HeldTable::drop_if(UnitIndex unit, const std::function<bool(const Held&)>& unwanted) {
  const auto found = rows_.find(unit.value);
  if (found == rows_.end()) return 0;
  const auto gone = std::erase_if(found->second, [&](const std::unique_ptr<Held>& held) {
    if (!unwanted(*held)) return false;
    keeper_.drop(held->kept_as);
    return true;
  });
  count_ -= gone;
  if (found->second.empty()) rows_.erase(found);
  return static_cast<uint32_t>(gone);
}

std::unique_ptr<Held> HeldTable::release(const Held& held) {
  Row& row = rows_.at(held.unit.value);
  const auto found = std::ranges::find(row, &held, &std::unique_ptr<Held>::get);
  FOSTER_CHECK(found != row.end());
  std::unique_ptr<Held> taken = std::move(*found);
  row.erase(found);
  --count_;
  if (row.empty()) rows_.erase(taken->unit.value);
  return taken;
}

const HeldTable::Row* HeldTable::of(UnitIndex unit) const {
  const auto found = rows_.find(unit.value);
  return found == rows_.end() ? nullptr : &found->second;
}

std::vector<UnitIndex> HeldTable::units() const {
  std::vector<UnitIndex> units;
  units.reserve(rows_.size());
  for (const auto& [unit, row] : rows_)
    units.push_back({unit});
  std::ranges::sort(units, {}, &UnitIndex::value);
  return units;
}

Result<void> HeldTable::room(UnitIndex unit) const {
  const auto full = [](size_t most, const char* why) {
    return std::unexpected(Error{"cannot hold another descriptor: there are " +
                                     std::to_string(most) + ", which is as many as " + why,
                                 EMFILE});
  };
  const Row* row = of(unit);
  if (row != nullptr && row->size() >= kUnitMax) return full(kUnitMax, "a unit may have");
  if (count_ >= most_)
    return full(most_, "the limit of open files leaves room for (RLIMIT_NOFILE)");
  return {};
}

bool same_open_file(int one, int other) {
  const pid_t self = getpid();
  const long order = syscall(SYS_kcmp, self, self, KCMP_FILE, one, other);
  return order < 0 ? same_inode(one, other) : order == 0;
}

}  // namespace foster::manager
