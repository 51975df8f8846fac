#include "daemon/keeper/child_table.hpp"

#include <cstring>

#include "common/check.hpp"
#include "daemon/keeper/memory.hpp"

namespace foster::keeper {
namespace {

constexpr uint32_t kFirstCapacity = 64;
constexpr uint32_t kCapacityMax = 1 << 22;  // the highest pid_max of Linux

/// Spreads neighbouring numbers: Fibonacci hashing.
uint32_t bucket_of(uint64_t number, uint32_t capacity) {
  return static_cast<uint32_t>((number * 0x9E3779B97F4A7C15ULL) >> 32) & (capacity - 1);
}

pid_t listed_number(const ChildEntry& child) {
  return child.phase == ChildPhase::lingering ? child.group : child.pid;
}

}  // namespace

ChildTable::~ChildTable() {
  release_unforked(memory_, memory_bytes_);
}

uint32_t ChildTable::slot_of(const ChildEntry& child) const {
  return static_cast<uint32_t>(&child - entries_);
}

ChildEntry* ChildTable::at(uint32_t slot) {
  return slot < used_ && entries_[slot].attempt != 0 ? &entries_[slot] : nullptr;
}

bool ChildTable::grow() {
  const uint32_t capacity = capacity_ == 0 ? kFirstCapacity : capacity_ * 2;
  if (capacity > kCapacityMax) return false;
  const size_t entry_bytes = sizeof(ChildEntry) * capacity;
  const size_t bucket_bytes = 2 * sizeof(uint32_t) * capacity;
  void* memory = take_unforked(entry_bytes + bucket_bytes);
  if (memory == nullptr) return false;
  if (used_ > 0) std::memcpy(memory, entries_, sizeof(ChildEntry) * used_);
  release_unforked(memory_, memory_bytes_);
  memory_ = memory;
  memory_bytes_ = entry_bytes + bucket_bytes;
  entries_ = static_cast<ChildEntry*>(memory);
  buckets_ = reinterpret_cast<uint32_t*>(entries_ + capacity);
  std::memset(buckets_, 0xff, bucket_bytes);
  capacity_ = capacity;
  for (uint32_t slot = 0; slot < used_; ++slot) {
    if (entries_[slot].attempt == 0) continue;
    link_attempt(slot);
    if (entries_[slot].pid_listed) link_pid(slot);
  }
  return true;
}

ChildEntry* ChildTable::add(uint64_t attempt) {
  FOSTER_CHECK(attempt != 0 && by_attempt(attempt) == nullptr);
  if (free_ == kNone && used_ == capacity_ && !grow()) return nullptr;
  const uint32_t slot = free_ != kNone ? free_ : used_++;
  ChildEntry& child = entries_[slot];
  if (slot == free_) free_ = child.attempt_link;
  std::memset(&child, 0, sizeof child);
  child.attempt = attempt;
  child.report_fd = -1;
  child.phase = ChildPhase::forked;
  link_attempt(slot);
  ++alive_;
  return &child;
}

void ChildTable::remove(ChildEntry& child) {
  FOSTER_CHECK(child.report_fd < 0);
  if (child.phase != ChildPhase::over) enter(child, ChildPhase::over);
  unlist_news(child);
  const uint32_t slot = slot_of(child);
  uint32_t* link = &buckets_[bucket_of(child.attempt, capacity_)];
  while (*link != slot)
    link = &entries_[*link].attempt_link;
  *link = child.attempt_link;
  child.attempt = 0;
  child.attempt_link = free_;
  free_ = slot;
}

void ChildTable::link_attempt(uint32_t slot) {
  uint32_t& head = buckets_[bucket_of(entries_[slot].attempt, capacity_)];
  entries_[slot].attempt_link = head;
  head = slot;
}

uint32_t& ChildTable::pid_bucket(pid_t number) {
  return buckets_[capacity_ + bucket_of(static_cast<uint64_t>(number), capacity_)];
}

void ChildTable::link_pid(uint32_t slot) {
  entries_[slot].pid_listed = true;
  uint32_t& head = pid_bucket(listed_number(entries_[slot]));
  entries_[slot].pid_link = head;
  head = slot;
}

void ChildTable::unlink_pid(ChildEntry& child) {
  if (!child.pid_listed) return;
  child.pid_listed = false;
  const uint32_t slot = slot_of(child);
  uint32_t* link = &pid_bucket(listed_number(child));
  while (*link != slot)
    link = &entries_[*link].pid_link;
  *link = child.pid_link;
}

ChildEntry* ChildTable::by_attempt(uint64_t attempt) {
  if (capacity_ == 0 || attempt == 0) return nullptr;
  uint32_t slot = buckets_[bucket_of(attempt, capacity_)];
  while (slot != kNone && entries_[slot].attempt != attempt)
    slot = entries_[slot].attempt_link;
  return slot == kNone ? nullptr : &entries_[slot];
}

ChildEntry* ChildTable::by_pid(pid_t pid) {
  if (capacity_ == 0) return nullptr;
  uint32_t slot = pid_bucket(pid);
  while (slot != kNone &&
         (entries_[slot].pid != pid || entries_[slot].phase == ChildPhase::lingering))
    slot = entries_[slot].pid_link;
  return slot == kNone ? nullptr : &entries_[slot];
}

ChildEntry* ChildTable::lingering_in(pid_t group) {
  if (lingering_ == 0) return nullptr;
  uint32_t slot = pid_bucket(group);
  while (slot != kNone &&
         (entries_[slot].group != group || entries_[slot].phase != ChildPhase::lingering))
    slot = entries_[slot].pid_link;
  return slot == kNone ? nullptr : &entries_[slot];
}

void ChildTable::forked(ChildEntry& child, pid_t pid) {
  FOSTER_CHECK(child.pid == 0 && by_pid(pid) == nullptr);
  child.pid = child.group = pid;
  link_pid(slot_of(child));
}

void ChildTable::adopted(ChildEntry& child, pid_t pid, pid_t group) {
  forked(child, pid);
  child.group = group;
  child.adopted = true;
  ++adopted_;
  enter(child, ChildPhase::running);
}

void ChildTable::enter(ChildEntry& child, ChildPhase phase) {
  FOSTER_CHECK(child.phase < phase);
  if (phase >= ChildPhase::lingering) unlink_pid(child);
  if (child.adopted && child.phase == ChildPhase::running) --adopted_;
  if (child.phase == ChildPhase::lingering) --lingering_;
  if (phase == ChildPhase::over) --alive_;
  child.phase = phase;
  if (phase != ChildPhase::lingering) return;
  ++lingering_;
  link_pid(slot_of(child));
}

void ChildTable::announce(ChildEntry& child, News news) {
  child.happened |= news;
  child.untold |= news;
  if (child.news_listed) return;
  child.news_listed = true;
  const uint32_t slot = slot_of(child);
  child.news_before = news_last_;
  child.news_after = kNone;
  (news_last_ == kNone ? news_first_ : entries_[news_last_].news_after) = slot;
  news_last_ = slot;
}

void ChildTable::told(ChildEntry& child, News news) {
  child.untold = static_cast<uint8_t>(child.untold & ~news);
  if (child.untold == 0) unlist_news(child);
}

void ChildTable::unlist_news(ChildEntry& child) {
  if (!child.news_listed) return;
  child.news_listed = false;
  child.untold = 0;
  (child.news_before == kNone ? news_first_ : entries_[child.news_before].news_after) =
      child.news_after;
  (child.news_after == kNone ? news_last_ : entries_[child.news_after].news_before) =
      child.news_before;
}

ChildEntry* ChildTable::first_with_news() {
  return news_first_ == kNone ? nullptr : &entries_[news_first_];
}

void ChildTable::forget_told() {
  for (uint32_t slot = 0; slot < used_; ++slot) {
    ChildEntry* child = at(slot);
    if (child == nullptr) continue;
    if ((child->happened & kAdoptFailedNews) != 0) {
      remove(*child);
      continue;
    }
    child->happened = static_cast<uint8_t>(child->happened & ~kKillFailedNews);
    child->untold = 0;
    unlist_news(*child);
    if (child->happened != 0) announce(*child, static_cast<News>(child->happened));
  }
}

}  // namespace foster::keeper
