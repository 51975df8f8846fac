#include "daemon/core/deadlines.hpp"

namespace foster::core {

Deadlines::Deadlines(size_t units) : position_(units, 0) {
  heap_.reserve(units);
}

void Deadlines::set(UnitIndex unit, Instant at) {
  const uint32_t place = position_[unit.value];
  if (place != 0 && heap_[place - 1].at == at) return;
  clear(unit);
  if (at.ns == 0) return;
  heap_.push_back({at, unit});
  position_[unit.value] = static_cast<uint32_t>(heap_.size());
  sift_up(heap_.size() - 1);
}

void Deadlines::clear(UnitIndex unit) {
  if (position_[unit.value] != 0) remove_at(position_[unit.value] - 1);
}

std::optional<Instant> Deadlines::earliest() const {
  if (heap_.empty()) return std::nullopt;
  return heap_.front().at;
}

void Deadlines::take_due(Instant now, std::vector<UnitIndex>& due) {
  due.clear();
  while (!heap_.empty() && heap_.front().at <= now) {
    due.push_back(heap_.front().unit);
    remove_at(0);
  }
}

void Deadlines::place(size_t position, Entry entry) {
  heap_[position] = entry;
  position_[entry.unit.value] = static_cast<uint32_t>(position + 1);
}

void Deadlines::sift_up(size_t position) {
  const Entry moving = heap_[position];
  while (position > 0) {
    const size_t parent = (position - 1) / 2;
    if (heap_[parent] <= moving) break;
    place(position, heap_[parent]);
    position = parent;
  }
  place(position, moving);
}

void Deadlines::sift_down(size_t position) {
  const Entry moving = heap_[position];
  while (true) {
    size_t child = 2 * position + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && heap_[child + 1] < heap_[child]) ++child;
    if (moving <= heap_[child]) break;
    place(position, heap_[child]);
    position = child;
  }
  place(position, moving);
}

void Deadlines::remove_at(size_t position) {
  position_[heap_[position].unit.value] = 0;
  const Entry last = heap_.back();
  heap_.pop_back();
  if (position == heap_.size()) return;
  place(position, last);
  sift_up(position);
  sift_down(position_[last.unit.value] - 1);
}

}  // namespace foster::core
