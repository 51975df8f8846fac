#include "daemon/manager/live_channel.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include "common/ipc/channel.hpp"
#include "common/ipc/fd_passing.hpp"
#include "daemon/manager/log.hpp"

namespace foster::manager {
namespace {

constexpr std::string_view kKeptPrefix = "live:";

/// "live:7:web". The attempt alone would do to tell them apart; the unit is for the successor.
std::string kept_name(Attempt attempt, std::string_view unit) {
  return std::string(kKeptPrefix) + std::to_string(attempt.value) + ":" + std::string(unit);
}

std::optional<UnitIndex> unit_of(const UnitSet& set, std::string_view kept) {
  kept.remove_prefix(kKeptPrefix.size());
  const size_t colon = kept.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto unit = set.find(kept.substr(colon + 1));
  const bool receives = unit && set[*unit].descriptors && set[*unit].descriptors->receive_live;
  return receives ? unit : std::nullopt;
}

/// Nobody has the other end any more.
bool hung_up(int fd) {
  pollfd asked{fd, 0, 0};
  return poll(&asked, 1, 0) == 1 && (asked.revents & (POLLHUP | POLLERR)) != 0;
}

/// 0, or an errno.
int send_one(int channel, std::string_view name, int fd) {
  ipc::RightsRoom<1> room;
  iovec content{const_cast<char*>(name.data()), name.size()};
  msghdr message{};
  message.msg_iov = &content;
  message.msg_iovlen = 1;
  ipc::attach_rights(message, room.bytes, &fd, 1);
  ssize_t sent = -1;
  do {
    sent = sendmsg(channel, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  return sent < 0 ? errno : 0;
}

}  // namespace

void LiveChannels::attach(std::vector<HandedDescriptor>& kept) {
  for (HandedDescriptor& held : kept) {
    if (!held.name.starts_with(kKeptPrefix) || !held.fd) continue;
    const auto unit = unit_of(set_, held.name);
    if (unit && !hung_up(held.fd.get())) {
      channels_[unit->value].push_back({held.name, std::move(held.fd)});
    } else {
      keeper_.drop(held.name);
      held.fd.reset();
    }
  }
}

Result<UniqueFd> LiveChannels::open(UnitIndex unit, Attempt attempt, bool beside) {
  if (beside)
    close_ended(unit);
  else
    close_all(unit);
  UniqueFd ours;
  UniqueFd theirs;
  if (const int error = ipc::make_pair(ours, theirs); error != 0)
    return system_failure("make a channel for live descriptors", error);
  // Nothing is read here: what a service writes must not pile up.
  shutdown(ours.get(), SHUT_RD);
  std::string name = kept_name(attempt, set_[unit].name);
  keeper_.store(name, ours.get());
  channels_[unit.value].push_back({std::move(name), std::move(ours)});
  return theirs;
}

bool LiveChannels::send(UnitIndex unit, std::string_view name, int fd) {
  close_ended(unit);
  const auto found = channels_.find(unit.value);
  if (found == channels_.end()) return false;
  bool taken = false;
  for (const Channel& channel : found->second) {
    const int error = send_one(channel.fd.get(), name, fd);
    if (error == 0)
      taken = true;
    else
      log(Level::warning, "a descriptor could not be handed over live",
          {{"unit", set_[unit].name}, {"name", name}, {"error", strerrordesc_np(error)}});
  }
  return taken;
}

void LiveChannels::close_ended(UnitIndex unit) {
  const auto found = channels_.find(unit.value);
  if (found == channels_.end()) return;
  std::erase_if(found->second, [this](const Channel& channel) {
    if (!hung_up(channel.fd.get())) return false;
    keeper_.drop(channel.kept_name);
    return true;
  });
  if (found->second.empty()) channels_.erase(found);
}

void LiveChannels::close_all(UnitIndex unit) {
  const auto found = channels_.find(unit.value);
  if (found == channels_.end()) return;
  for (const Channel& channel : found->second)
    keeper_.drop(channel.kept_name);
  channels_.erase(found);
}

}  // namespace foster::manager
