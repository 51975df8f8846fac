// The room's shared memory: a seat for each client, with what was read from that client.
//
// Nothing is locked, for the buffers change hands. A seat's buffer is written by the process of its
// client until that says that a line is in it; from then on it is read by everybody, until the last
// of them has said that it has the line; then it is its owner's again. The room passes these words
// on (room.hpp).
#pragma once

#include <cstddef>
#include <cstdint>

namespace chat {

inline constexpr size_t kSeats = 128;
inline constexpr size_t kLineMax = 1024;

struct Seat {
  uint32_t line_size;     // of the line at the buffer's beginning, with its '\n'
  char buffer[kLineMax];  // what follows the line is its owner's
};

/// What a room and the process of a client say to each other, over a socketpair of their own.
enum class Word : uint8_t {
  said,   // by the process: there is a line in its seat
  hear,   // by the room: there is a line in this seat
  heard,  // by the process: it has the line of this seat
  next,   // by the room: all have it; the buffer is yours again
  close,  // by the room: say goodbye to the client
};

struct Message {
  Word word;
  uint8_t seat;
};

/// Shared memory for all seats, which every process forked from now on has at the same address.
/// Null: errno says why there is none.
Seat* map_seats();

}  // namespace chat
