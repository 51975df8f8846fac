// The process of one client: reads lines from it into the seat, writes to it what is said in the
// room, its own lines included.
#pragma once

#include <string>

#include "tests/services/chat/seats.hpp"

namespace chat {

class Member {
 public:
  /// `client` does not block; `channel` leads to the room.
  Member(Seat* seats, uint8_t seat, int client, int channel);

  /// Returns when the client has left, or the room is gone.
  void serve();

 private:
  void read_client();
  void discard_input();
  void offer_line();
  void listen_to_room();
  void take_up(Message message);
  void write_client();
  [[nodiscard]] short interest() const;
  [[nodiscard]] bool done() const;

  Seat* seats_;
  Seat& own_;
  uint8_t seat_;
  int client_;
  int channel_;
  size_t used_ = 0;     // bytes in the seat's buffer
  std::string unsent_;  // to the client
  bool line_is_out_ = false;
  bool input_ended_ = false;
  bool closing_ = false;
  bool said_goodbye_ = false;
  bool gone_ = false;
};

}  // namespace chat
