#include "daemon/manager/keeper_client.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "common/check.hpp"
#include "daemon/manager/log.hpp"

namespace foster::manager {
namespace {

using protocol::Type;

/// Small packets keep both cores busy: the keeper forks the first while we lay out the next.
constexpr uint32_t kSpawnsPerPacket = 16;

constexpr int kCannotWrite = 71;  // EX_OSERR

template <class Body>
bool decode(const ipc::Record& record, Body& body) {
  if (record.size < sizeof body) return false;
  std::memcpy(&body, record.body, sizeof body);
  return true;
}

template <class Body>
void append_news(const ipc::Record& record, std::vector<KeeperNews>& news) {
  Body body{};
  if (decode(record, body))
    news.emplace_back(body);
  else
    log(Level::error, "a record of the keeper is too short", {{"type", record.type}});
}

void append_known(const ipc::Record& record, std::vector<KeeperNews>& news) {
  switch (static_cast<Type>(record.type)) {
    case Type::spawned:
      return append_news<protocol::Spawned>(record, news);
    case Type::spawn_failed:
      return append_news<protocol::SpawnFailed>(record, news);
    case Type::exited:
      return append_news<protocol::Exited>(record, news);
    case Type::group_emptied:
      return append_news<protocol::GroupEmptied>(record, news);
    case Type::kill_failed:
      return append_news<protocol::KillFailed>(record, news);
    case Type::adopt_failed:
      return append_news<protocol::AdoptFailed>(record, news);
    case Type::signal_received:
      return append_news<protocol::SignalNumber>(record, news);
    case Type::ready:
    case Type::spawn:
    case Type::spawn_in_memfd:
    case Type::kill:
    case Type::acknowledge:
    case Type::store_descriptor:
    case Type::drop_descriptor:
    case Type::notify_supervisor:
    case Type::signal_taken:
    case Type::finish:
    case Type::adopt:
    case Type::again:
    case Type::barrier:
    case Type::handover_begin:
    case Type::child:
    case Type::stored_descriptor:
    case Type::handover_end:
      break;
  }
  log(Level::error, "the keeper sent what a manager does not expect", {{"type", record.type}});
}

protocol::StoredDescriptor stored_name(std::string_view name) {
  FOSTER_CHECK(name.size() <= protocol::kStoredNameMax);
  protocol::StoredDescriptor stored{};
  name.copy(stored.name, protocol::kStoredNameMax);
  return stored;
}

}  // namespace

UniqueFd Handover::take(std::string_view name) {
  for (HandedDescriptor& held : descriptors)
    if (held.name == name) return std::move(held.fd);
  return UniqueFd();
}

Result<Handover> KeeperClient::receive_handover() {
  Handover handover;
  for (;;) {
    const auto outcome = reader_.receive(socket_.get(), false);
    if (outcome == ipc::PacketReader::Outcome::failed)
      return system_failure("take over from the keeper", reader_.error());
    if (outcome != ipc::PacketReader::Outcome::packet)
      return failure("take over from the keeper", "it is gone, or it is no keeper");
    ipc::Record record;
    bool ended = false;
    while (reader_.next(record)) {
      const auto type = static_cast<Type>(record.type);
      if (type == Type::handover_begin) {
        if (!decode(record, handover.keeper) || handover.keeper.version != protocol::kVersion)
          return failure("take over from the keeper", "it speaks another version of the protocol");
      } else if (type == Type::child) {
        decode(record, handover.children.emplace_back());
      } else if (type == Type::stored_descriptor && record.fd_count == 1) {
        protocol::StoredDescriptor stored{};
        decode(record, stored);
        UniqueFd fd = reader_.take_fd(0);
        if (!fd) return system_failure("take over from the keeper", EMFILE);
        handover.descriptors.push_back({stored.name, std::move(fd)});
      } else if (type == Type::handover_end) {
        ended = true;
      } else {
        append_known(record, early_);
      }
    }
    if (ended) return handover;
  }
}

KeeperClient::State KeeperClient::receive(std::vector<KeeperNews>& news) {
  news.insert(news.end(), early_.begin(), early_.end());
  std::vector<KeeperNews>().swap(early_);
  for (;;) {
    switch (reader_.receive(socket_.get(), true)) {
      case ipc::PacketReader::Outcome::packet:
        read_packet(news);
        break;
      case ipc::PacketReader::Outcome::nothing:
        return State::open;
      case ipc::PacketReader::Outcome::closed:
        return State::closed;
      case ipc::PacketReader::Outcome::malformed:
        log(Level::error, "a packet of the keeper was malformed and is dropped");
        break;
      case ipc::PacketReader::Outcome::failed:
        log(Level::error, "cannot read from the keeper",
            {{"error", strerrordesc_np(reader_.error())}});
        return State::closed;
    }
  }
}

void KeeperClient::read_packet(std::vector<KeeperNews>& news) {
  ipc::Record record;
  while (reader_.next(record))
    append_known(record, news);
}

void* KeeperClient::add(Type type, size_t bytes, std::span<const int> fds) {
  if (!writer_.fits(bytes, fds.size())) flush();
  void* body = writer_.add(static_cast<uint16_t>(type), bytes, fds.data(), fds.size());
  FOSTER_CHECK(body != nullptr);
  return body;
}

template <class Body>
void KeeperClient::put(Type type, const Body& body, std::span<const int> fds) {
  std::memcpy(add(type, sizeof body, fds), &body, sizeof body);
}

void KeeperClient::ready() {
  add(Type::ready, 0);
}

void KeeperClient::spawn(std::string_view plan, std::span<const PassedDescriptor> descriptors) {
  std::vector<int> fds;
  for (const PassedDescriptor& passed : descriptors)
    fds.push_back(passed.fd.get());
  if (plan.size() > protocol::kInlineSpawnMax) return spawn_in_memfd(plan, std::move(fds));
  std::memcpy(add(Type::spawn, plan.size(), fds), plan.data(), plan.size());
  // Descriptors are only borrowed.
  if (++gathered_spawns_ >= kSpawnsPerPacket || !fds.empty()) flush();
}

void KeeperClient::spawn_in_memfd(std::string_view plan, std::vector<int> fds) {
  // Where this fails the keeper gets a memfd cut short, and answers with a failed spawn as for any
  // bad plan: there is no second way to report it.
  const UniqueFd memory(memfd_create("foster-plan", MFD_CLOEXEC));
  size_t done = 0;
  while (memory && done < plan.size()) {
    const ssize_t taken = write(memory.get(), plan.data() + done, plan.size() - done);
    if (taken <= 0) break;
    done += static_cast<size_t>(taken);
  }
  protocol::SpawnPlan head{};
  std::memcpy(&head, plan.data(), sizeof head);
  if (!memory || done < plan.size()) {
    log(Level::error, "cannot lay out the plan of a start in memory",
        {{"attempt", head.attempt}, {"error", strerrordesc_np(errno)}});
    std::memcpy(add(Type::spawn, sizeof head), &head, sizeof head);
    return;
  }
  fds.insert(fds.begin(), memory.get());
  put(Type::spawn_in_memfd, protocol::SpawnInMemfd{head.attempt}, fds);
  flush();  // The descriptors are only borrowed until here.
}

void KeeperClient::adopt(Attempt attempt, Attempt from, pid_t pid, uint32_t tag) {
  put(Type::adopt, protocol::Adopt{attempt.value, from.value, pid, tag});
}

void KeeperClient::kill(Attempt attempt, int signal, bool group, bool with_continue) {
  put(Type::kill,
      protocol::Kill{.attempt = attempt.value,
                     .signal = signal,
                     .scope = group ? protocol::KillScope::group : protocol::KillScope::main,
                     .with_continue = with_continue ? 1u : 0u,
                     .reserved = 0});
}

void KeeperClient::acknowledge(Attempt attempt, bool abandon) {
  put(Type::acknowledge,
      protocol::Acknowledge{.attempt = attempt.value, .abandon = abandon ? 1u : 0u, .reserved = 0});
}

void KeeperClient::store(std::string_view name, int fd) {
  put(Type::store_descriptor, stored_name(name), {&fd, 1});
  flush();
}

void KeeperClient::drop(std::string_view name) {
  put(Type::drop_descriptor, stored_name(name));
  dropped_ = true;
}

void KeeperClient::await_drops() {
  if (!std::exchange(dropped_, false)) return;
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) {
    log(Level::warning, "the keeper is not waited for", {{"error", strerrordesc_np(errno)}});
    return flush();
  }
  const UniqueFd read_end(ends[0]);
  UniqueFd write_end(ends[1]);
  add(Type::barrier, 0, {&ends[1], 1});
  flush();
  write_end.reset();
  // End of file: nobody has the other end any more, be it that the keeper is gone.
  char none;
  while (read(read_end.get(), &none, 1) < 0 && errno == EINTR) {
  }
}

void KeeperClient::notify_supervisor(std::string_view text, int fd) {
  const std::span<const int> fds(&fd, fd >= 0 ? 1 : 0);
  std::memcpy(add(Type::notify_supervisor, text.size(), fds), text.data(), text.size());
  if (!fds.empty()) flush();  // It is only borrowed.
}

void KeeperClient::signal_taken(int signal) {
  put(Type::signal_taken, protocol::SignalNumber{signal});
}

void KeeperClient::again() {
  add(Type::again, 0);
}

void KeeperClient::finish(int exit_code) {
  put(Type::finish, protocol::Finish{exit_code});
}

void KeeperClient::flush() {
  gathered_spawns_ = 0;
  if (writer_.empty()) return;
  const int error = writer_.send(socket_.get(), false);
  if (error == 0) return;
  writer_.clear();
  if (error == EPIPE || error == ECONNRESET) return;
  log(Level::error, "cannot write to the keeper, starting afresh",
      {{"error", strerrordesc_np(error)}});
  _exit(kCannotWrite);
}

}  // namespace foster::manager
