// The manager's end of the channel to the keeper (daemon/protocol). Sending gathers records into
// packets; flush() sends the rest. The keeper never waits for the manager, so a send may block
// without risk.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/ids.hpp"
#include "common/ipc/channel.hpp"
#include "common/ipc/unique_fd.hpp"
#include "common/result.hpp"
#include "daemon/protocol/keeper_protocol.hpp"

namespace foster::manager {

struct HandedDescriptor {
  std::string name;
  UniqueFd fd;
};

/// What the keeper tells a manager that has just started.
struct Handover {
  protocol::HandoverBegin keeper{};
  std::vector<protocol::Child> children;
  std::vector<HandedDescriptor> descriptors;

  /// Takes the descriptor of that name; empty when the keeper holds none.
  [[nodiscard]] UniqueFd take(std::string_view name);
};

using KeeperNews =
    std::variant<protocol::Spawned, protocol::SpawnFailed, protocol::Exited, protocol::GroupEmptied,
                 protocol::KillFailed, protocol::AdoptFailed, protocol::SignalNumber>;

/// A descriptor for a process to come, and the number it is to have there.
struct PassedDescriptor {
  int number = -1;
  UniqueFd fd;
};

class KeeperClient {
 public:
  explicit KeeperClient(UniqueFd socket) : socket_(std::move(socket)) {}

  [[nodiscard]] int socket() const { return socket_.get(); }

  /// Blocks until the hand-over is complete; the keeper sends it at once.
  Result<Handover> receive_handover();

  enum class State { open, closed };
  /// Appends what has arrived to `news`, without blocking. `closed`: the keeper is gone.
  State receive(std::vector<KeeperNews>& news);

  void ready();
  /// `plan` is of spawn_plan(), with the numbers of these descriptors in it.
  void spawn(std::string_view plan, std::span<const PassedDescriptor> descriptors);
  void adopt(Attempt attempt, Attempt from, pid_t pid, uint32_t tag);
  void kill(Attempt attempt, int signal, bool group, bool with_continue);
  void acknowledge(Attempt attempt, bool abandon);
  void store(std::string_view name, int fd);
  void drop(std::string_view name);
  /// Waits until the keeper has closed what it was told to drop, if that was since the last call.
  void await_drops();
  /// `fd` goes with it, unless it is -1.
  void notify_supervisor(std::string_view text, int fd = -1);
  void signal_taken(int signal);
  void finish(int exit_code);
  /// The manager is about to exit, to be started afresh.
  void again();

  /// Sends what has been gathered. A keeper that is gone shows at the next receive. With any other
  /// error the process ends: the orders are lost, and whoever is started next gives them again.
  void flush();

 private:
  void* add(protocol::Type type, size_t bytes, std::span<const int> fds = {});
  template <class Body>
  void put(protocol::Type type, const Body& body, std::span<const int> fds = {});
  void read_packet(std::vector<KeeperNews>& news);
  void spawn_in_memfd(std::string_view plan, std::vector<int> fds);

  UniqueFd socket_;
  ipc::PacketWriter writer_;
  ipc::PacketReader reader_;
  std::vector<KeeperNews> early_;  // came in the same packet as the end of the hand-over
  uint32_t gathered_spawns_ = 0;
  bool dropped_ = false;
};

}  // namespace foster::manager
