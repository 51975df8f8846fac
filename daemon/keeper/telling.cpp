#include "daemon/keeper/telling.hpp"

#include <cerrno>
#include <cstring>
#include <sys/epoll.h>

#include "common/check.hpp"
#include "daemon/keeper/log.hpp"
#include "daemon/keeper/manager_link.hpp"
#include "daemon/keeper/signals.hpp"

namespace foster::keeper {
namespace {

using protocol::Type;

template <class Body>
bool put(ipc::PacketWriter& out, Type type, const Body& body, const int* fds = nullptr,
         size_t fd_count = 0) {
  void* at = out.add(static_cast<uint16_t>(type), sizeof body, fds, fd_count);
  if (at == nullptr) return false;
  std::memcpy(at, &body, sizeof body);
  return true;
}

bool put_begin(Keeper& keeper) {
  return put(keeper.manager.out, Type::handover_begin,
             protocol::HandoverBegin{protocol::kVersion, keeper.manager.starts - 1,
                                     keeper.last_attempt, keeper.pid, keeper.is_init});
}

bool put_child(ipc::PacketWriter& out, const ChildEntry& child) {
  protocol::Child body{.attempt = child.attempt,
                       .pid = child.pid,
                       .phase = child.phase,
                       .last_signal = child.last_signal,
                       .tag = child.tag,
                       .spawned_boot_ns = child.forked_ns};
  std::memcpy(body.unit, child.unit, sizeof body.unit);
  return put(out, Type::child, body);
}

bool put_children(Keeper& keeper) {
  ManagerLink& manager = keeper.manager;
  for (; manager.slot < keeper.children.slots(); ++manager.slot) {
    const ChildEntry* child = keeper.children.at(manager.slot);
    if (child != nullptr && !put_child(manager.out, *child)) return false;
  }
  return true;
}

bool put_descriptors(Keeper& keeper) {
  ManagerLink& manager = keeper.manager;
  for (; manager.slot < keeper.store.slots(); ++manager.slot) {
    const FdStore::Slot& held = keeper.store.at(manager.slot);
    if (held.fd < 0) continue;
    protocol::StoredDescriptor body{};
    std::memcpy(body.name, held.name, std::strlen(held.name));
    if (!put(manager.out, Type::stored_descriptor, body, &held.fd, 1)) return false;
  }
  return true;
}

bool put_end(ipc::PacketWriter& out) {
  return out.add(static_cast<uint16_t>(Type::handover_end), 0) != nullptr;
}

/// False when the packet is full before the stage is done.
bool put_stage(Keeper& keeper) {
  switch (keeper.manager.stage) {
    case HandoverStage::begin:
      return put_begin(keeper);
    case HandoverStage::children:
      return put_children(keeper);
    case HandoverStage::descriptors:
      return put_descriptors(keeper);
    case HandoverStage::end:
      return put_end(keeper.manager.out);
    case HandoverStage::done:
      break;
  }
  FOSTER_CHECK(false);
  return false;
}

bool put_handover(Keeper& keeper) {
  ManagerLink& manager = keeper.manager;
  while (manager.stage != HandoverStage::done) {
    if (!put_stage(keeper)) return false;
    manager.slot = 0;
    manager.stage = static_cast<HandoverStage>(static_cast<int>(manager.stage) + 1);
  }
  return true;
}

bool put_signals(ManagerLink& manager) {
  for (int i = 0; manager.untold_signals != 0; ++i) {
    const uint32_t bit = uint32_t{1} << i;
    if ((manager.untold_signals & bit) == 0) continue;
    if (!put(manager.out, Type::signal_received, protocol::SignalNumber{forwarded_signal(i)}))
      return false;
    manager.untold_signals &= ~bit;
  }
  return true;
}

bool put_news(ipc::PacketWriter& out, const ChildEntry& child, News news) {
  switch (news) {
    case kSpawnedNews:
      return put(out, Type::spawned,
                 protocol::Spawned{child.attempt, child.pid, 0, child.executed_ns});
    case kSpawnFailedNews:
      return put(out, Type::spawn_failed,
                 protocol::SpawnFailed{
                     child.attempt, static_cast<protocol::Step>(child.failed_step), child.error});
    case kExitedNews:
      return put(
          out, Type::exited,
          protocol::Exited{child.attempt, child.pid, child.wait_status, child.group_remained, 0,
                           child.exited_ns, child.user_us, child.system_us, child.max_rss_kib});
    case kGroupEmptiedNews:
      return put(out, Type::group_emptied, protocol::GroupEmptied{child.attempt});
    case kKillFailedNews:
      return put(out, Type::kill_failed,
                 protocol::KillFailed{child.attempt, child.kill_signal, child.kill_error});
    case kAdoptFailedNews:
      return put(out, Type::adopt_failed, protocol::AdoptFailed{child.attempt, child.error, 0});
  }
  return false;
}

bool put_all_news(Keeper& keeper) {
  constexpr News kOrder[] = {kSpawnedNews, kSpawnFailedNews,  kAdoptFailedNews,
                             kExitedNews,  kGroupEmptiedNews, kKillFailedNews};
  for (ChildEntry* child; (child = keeper.children.first_with_news()) != nullptr;) {
    const uint8_t untold = child->untold;
    for (const News news : kOrder) {
      if ((untold & news) == 0) continue;
      if (!put_news(keeper.manager.out, *child, news)) return false;
      keeper.children.told(*child, news);
    }
    if ((child->happened & kAdoptFailedNews) != 0) keeper.children.remove(*child);
  }
  return true;
}

void fill(Keeper& keeper) {
  static_cast<void>(put_handover(keeper) && put_signals(keeper.manager) && put_all_news(keeper));
}

void watch_for_room(Keeper& keeper, bool wanted) {
  ManagerLink& manager = keeper.manager;
  if (manager.watched_for_room == wanted) return;
  manager.watched_for_room = wanted;
  epoll_event event{EPOLLIN | (wanted ? EPOLLOUT : 0U), {.u64 = kManagerKey}};
  FOSTER_CHECK(epoll_ctl(keeper.epoll.get(), EPOLL_CTL_MOD, manager.channel.get(), &event) == 0);
}

}  // namespace

void begin_handover(Keeper& keeper) {
  keeper.manager.out.clear();
  keeper.manager.stage = HandoverStage::begin;
  keeper.manager.slot = 0;
  keeper.manager.watched_for_room = false;
  keeper.manager.deaf = false;
  keeper.children.forget_told();
}

void tell_manager(Keeper& keeper) {
  ManagerLink& manager = keeper.manager;
  while (manager.channel && !manager.deaf) {
    if (manager.out.empty()) fill(keeper);
    if (manager.out.empty()) return watch_for_room(keeper, false);
    const int error = manager.out.send(manager.channel.get(), true);
    if (error == EAGAIN) return watch_for_room(keeper, true);
    if (error != 0) return cannot_tell(keeper, error);
  }
}

}  // namespace foster::keeper
