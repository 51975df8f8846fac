#include "ctl/relations.hpp"

#include <algorithm>

#include "common/unit/unit_name.hpp"

namespace foster::ctl {
namespace {

constexpr size_t kNamesMax = 3;

}  // namespace

UnitView Relations::complete(region::SlotView slot) {
  UnitView view{std::move(slot), {}, {}, {}};
  const uint32_t blocker = view.body.blocker;
  if (blocker > 0) view.blocker = reader_.slot_name(blocker - 1);
  if (view.body.state == FOSTER_STATE_STOPPING && view.body.step == FOSTER_STEP_DEPENDENTS)
    view.held_by = stopping_dependents(view.index);
  // Of other templates than those that accept connections there is no unit.
  const std::string_view maker = template_of(view.name);
  if (!maker.empty() && reader_.find(maker)) view.listener = maker;
  return view;
}

std::string Relations::stopping_dependents(uint32_t slot) {
  // A damaged graph is the complaint of the verbs that are about the graph.
  if (!edges_) edges_ = reader_.edges().value_or(std::vector<foster_edge>());
  std::string names;
  size_t found = 0;
  uint32_t last = slot;
  for (const foster_edge& edge : *edges_) {
    foster_slot_body body{};
    if (edge.to != slot || !orders(edge.kind) || edge.from == last) continue;
    if (!reader_.copy_body(edge.from, body) || body.state != FOSTER_STATE_STOPPING) continue;
    last = edge.from;
    if (++found > kNamesMax) return names + ", …";
    names.append(names.empty() ? "" : ", ").append(reader_.slot_name(edge.from));
  }
  return names;
}

}  // namespace foster::ctl
