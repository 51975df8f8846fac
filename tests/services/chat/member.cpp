#include "tests/services/chat/member.hpp"

#include <cerrno>
#include <cstring>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace chat {
namespace {

// A client that does not read for so long that this much waits for it has lost interest.
constexpr size_t kUnsentMax = 256 * 1024;

}  // namespace

Member::Member(Seat* seats, uint8_t seat, int client, int channel)
    : seats_(seats), own_(seats[seat]), seat_(seat), client_(client), channel_(channel) {}

void Member::serve() {
  unsent_ = "* you are guest " + std::to_string(seat_) + " of process " +
            std::to_string(getppid()) + "\n";
  while (!done()) {
    write_client();
    pollfd ready[] = {{client_, interest(), 0}, {channel_, POLLIN, 0}};
    if (done() || poll(ready, 2, -1) < 0) continue;
    if (ready[1].revents) listen_to_room();
    if (ready[0].revents & POLLIN) {
      closing_ ? discard_input() : read_client();
    } else if (ready[0].revents & (POLLERR | POLLHUP)) {
      gone_ = true;  // told whether or not it was asked for
    }
  }
}

/// While everybody reads the buffer, more from the client has to wait.
short Member::interest() const {
  const bool reads = !input_ended_ && (closing_ || !line_is_out_);
  return short((reads ? POLLIN : 0) | (unsent_.empty() ? 0 : POLLOUT));
}

bool Member::done() const {
  if (gone_ || unsent_.size() > kUnsentMax) return true;
  return input_ended_ && unsent_.empty() && (closing_ || !line_is_out_);
}

void Member::read_client() {
  const ssize_t size = read(client_, own_.buffer + used_, kLineMax - used_);
  if (size < 0) {
    gone_ = gone_ || errno != EAGAIN;
    return;
  }
  input_ended_ = size == 0;
  used_ += size_t(size);
  offer_line();
}

/// What a client still sends after the goodbye. Were it left unread, the kernel would tell the
/// client of a broken connection instead of its end.
void Member::discard_input() {
  char nowhere[kLineMax];
  const ssize_t size = read(client_, nowhere, sizeof nowhere);
  input_ended_ = size == 0;
  gone_ = gone_ || (size < 0 && errno != EAGAIN);
}

void Member::offer_line() {
  const void* end = memchr(own_.buffer, '\n', used_);
  if (!end && used_ < kLineMax) return;
  own_.line_size = uint32_t(end ? static_cast<const char*>(end) - own_.buffer + 1 : used_);
  line_is_out_ = true;
  const Message message{Word::said, seat_};
  gone_ = gone_ || send(channel_, &message, sizeof message, MSG_NOSIGNAL) < 0;
}

void Member::listen_to_room() {
  Message message{};
  if (recv(channel_, &message, sizeof message, 0) != sizeof message) {
    gone_ = true;  // and so is the room
  } else {
    take_up(message);
  }
}

void Member::take_up(Message message) {
  const Seat& speaker = seats_[message.seat];
  switch (message.word) {
    case Word::hear:
      unsent_ += "guest " + std::to_string(message.seat) + ": ";
      unsent_.append(speaker.buffer, speaker.line_size);
      message.word = Word::heard;
      send(channel_, &message, sizeof message, MSG_NOSIGNAL);
      return;
    case Word::next:
      used_ -= own_.line_size;
      memmove(own_.buffer, own_.buffer + own_.line_size, used_);
      line_is_out_ = false;
      offer_line();
      return;
    case Word::close:
      unsent_ += "* the room closes\n";
      closing_ = true;
      return;
    case Word::said:
    case Word::heard:
      return;  // not for us
  }
}

void Member::write_client() {
  if (!unsent_.empty()) {
    const ssize_t size = send(client_, unsent_.data(), unsent_.size(), MSG_NOSIGNAL);
    if (size > 0) unsent_.erase(0, size_t(size));
    gone_ = gone_ || (size < 0 && errno != EAGAIN);
  }
  if (closing_ && unsent_.empty() && !said_goodbye_) {
    shutdown(client_, SHUT_WR);
    said_goodbye_ = true;
  }
}

}  // namespace chat
