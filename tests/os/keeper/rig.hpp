// A real fosterd in a folder of its own, with the test in the manager's place: the test reads what
// the keeper says and answers as it likes, in whatever order and as badly as it likes.
#pragma once

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <cstring>
#include <deque>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "common/ipc/channel.hpp"
#include "common/ipc/unique_fd.hpp"
#include "daemon/protocol/keeper_protocol.hpp"

namespace foster::keeper_test {

inline constexpr int kDeadlineMs = 30'000;

/// True once `fd` can be read (or has hung up), false after the deadline.
bool readable(int fd, int timeout_ms = kDeadlineMs);
/// Waits for the end of a process that is not our child.
bool ends(pid_t pid);
bool alive(pid_t pid);

struct Message {
  protocol::Type type{};
  std::string body;
  std::vector<UniqueFd> fds;

  template <class Body>
  Body as() const {
    Body value{};
    EXPECT_EQ(body.size(), sizeof value);
    if (body.size() == sizeof value) std::memcpy(&value, body.data(), sizeof value);
    return value;
  }
};

struct Plan {
  uint64_t attempt = 1;
  std::vector<std::string> argv;  // of the program; the probe's if `program` is empty
  std::string program;
  std::vector<std::string> envp;
  uint32_t flags = 0;
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;
  mode_t umask = 022;
  std::string directory;
  std::string unit = "unit";
  uint32_t tag = 0;
  std::vector<int32_t> numbers;  // of the descriptors that go along
  std::vector<int> fds;          // borrowed

  [[nodiscard]] std::string encoded() const;
};

/// The manager's end, for as long as that manager lives.
class Manager {
 public:
  Manager(UniqueFd connection, UniqueFd channel, pid_t pid);

  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] int channel() const { return channel_.get(); }
  /// The next message; fails the test after the deadline.
  Message next();
  /// The next message, which has to be of that type.
  Message expect(protocol::Type type);
  template <class Body>
  Body expect_body(protocol::Type type) {
    return expect(type).as<Body>();
  }
  /// Everything up to the end of the hand-over.
  std::vector<Message> take_handover();
  /// Nothing is waiting to be read.
  [[nodiscard]] bool silent();

  template <class Body>
  void send(protocol::Type type, const Body& body, int fd = -1) {
    send_bytes(type, {reinterpret_cast<const char*>(&body), sizeof body}, {&fd, fd >= 0 ? 1u : 0u});
  }
  void send_bytes(protocol::Type type, std::string_view bytes, std::span<const int> fds = {});
  void send_ready() { send_bytes(protocol::Type::ready, {}); }
  void spawn(const Plan& plan) { send_bytes(protocol::Type::spawn, plan.encoded(), plan.fds); }
  void kill(uint64_t attempt, int signal, protocol::KillScope scope = protocol::KillScope::group);
  void acknowledge(uint64_t attempt, bool abandon = false);
  /// Gathers what is sent until flush() into as few packets as possible.
  void gather() { gathering_ = true; }
  void flush();

  void exit(int code);
  void die() { ::kill(pid_, SIGKILL); }
  void hang_up() { channel_.reset(); }

 private:
  UniqueFd connection_;
  UniqueFd channel_;
  pid_t pid_;
  bool gathering_ = false;
  std::unique_ptr<ipc::PacketWriter> writer_ = std::make_unique<ipc::PacketWriter>();
  std::unique_ptr<ipc::PacketReader> reader_ = std::make_unique<ipc::PacketReader>();
  std::deque<Message> waiting_;
};

struct Setting {
  std::vector<std::string> arguments;
  std::vector<std::string> environment;
  bool as_init = false;            // in a pid namespace of its own
  std::function<void()> in_child;  // between fork and exec of fosterd
  bool without_manager = false;    // no foster-manager beside it
};

class Rig {
 public:
  explicit Rig(Setting setting = {});
  ~Rig();
  Rig(const Rig&) = delete;
  Rig& operator=(const Rig&) = delete;

  /// The next manager that the keeper starts.
  std::unique_ptr<Manager> manager();
  /// The first manager, past its hand-over, serving.
  std::unique_ptr<Manager> serving_manager();
  [[nodiscard]] pid_t keeper() const { return keeper_; }
  void signal(int number) { ::kill(keeper_, number); }
  /// fosterd's wait status, or -1 after the deadline.
  int end_status();
  [[nodiscard]] bool keeper_runs() const { return alive(keeper_); }

  /// A line that a service or fosterd wrote on stdout or stderr, respectively.
  std::string line() { return next_line(output_, output_text_); }
  std::string log_line() { return next_line(log_, log_text_); }
  /// Lines until one that says "end", sorted.
  std::vector<std::string> lines();
  /// Reads the log until a line has `text` in it.
  bool logged(const std::string& text);

  [[nodiscard]] std::string folder() const { return folder_; }
  [[nodiscard]] std::vector<std::string> keeper_descriptors() const;

 private:
  static std::string next_line(UniqueFd& fd, std::string& text);
  [[noreturn]] void become_keeper(const Setting& setting, int output, int log);

  bool as_init_;
  std::string folder_;
  UniqueFd listener_;
  UniqueFd output_;
  UniqueFd log_;
  std::string output_text_;
  std::string log_text_;
  pid_t keeper_ = 0;  // as seen from here
  pid_t child_ = 0;   // what we wait for: fosterd, or the one that made its namespace
  int end_status_ = -1;
};

/// The number at the end of a line.
pid_t pid_in(const std::string& line);

/// Of the probe, by its mode.
Plan probe(uint64_t attempt, std::vector<std::string> arguments);

}  // namespace foster::keeper_test
