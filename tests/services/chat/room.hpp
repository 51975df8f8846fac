// The chat room: accepts clients, forks a process for each, and tells all of them when one has said
// something. What is said itself is in memory that they share; only words go through the room.
//
// A line is under way from when its speaker says so until the last of the others has it. There is
// at most one of each seat, so that no channel ever holds more messages than there are seats, and
// the room never waits for a process.
#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <poll.h>
#include <sys/types.h>
#include <vector>

#include "tests/services/chat/seats.hpp"

namespace chat {

class Room {
 public:
  /// `signals` is a signalfd(2) of SIGCHLD and SIGTERM. `receive` is -1 where nothing is handed
  /// over.
  Room(Seat* seats, std::vector<int> sockets, int receive, int signals);

  /// Returns when all have left after SIGTERM. Those who have not after `drain_ms` are told to.
  void run(int drain_ms);

 private:
  struct Place {
    pid_t pid = 0;
    int channel = -1;
    std::bitset<kSeats> hearing;  // who has not got its line yet
    [[nodiscard]] bool taken() const { return pid != 0 || hearing.any(); }
  };

  void watch();
  void act_on_signals();
  void reap();
  void stop_accepting();
  void add_socket();
  void accept_from(int socket);
  void seat_client(uint8_t seat, int client);
  void become_member(uint8_t seat, int client, int channel);
  bool hear_from(uint8_t seat);
  void pass_on(uint8_t speaker);
  void has_heard(uint8_t listener, uint8_t speaker);
  void leave(uint8_t seat);
  void tell(uint8_t seat, Message message);
  void close_all();
  void dismiss();
  [[nodiscard]] int free_seat() const;
  [[nodiscard]] bool empty() const;
  [[nodiscard]] int wait_ms() const;

  Seat* seats_;
  std::vector<int> sockets_;
  int receive_;
  int signals_;
  std::array<Place, kSeats> places_;
  std::vector<pollfd> watched_;
  bool stopping_ = false;
  int64_t deadline_ms_ = -1;  // of those inside; -1: none
};

}  // namespace chat
