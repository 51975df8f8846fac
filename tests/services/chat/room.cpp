#include "tests/services/chat/room.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/services/chat/member.hpp"
#include "tests/services/chat/supervisor.hpp"

namespace chat {
namespace {

constexpr int kGoodbyeMs = 1000;

int64_t now_ms() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000 + now.tv_nsec / 1'000'000;
}

}  // namespace

Room::Room(Seat* seats, std::vector<int> sockets, int receive, int signals)
    : seats_(seats), sockets_(std::move(sockets)), receive_(receive), signals_(signals) {}

void Room::run(int drain_ms) {
  bool told_to_leave = false;
  while (!stopping_ || !empty()) {
    watch();
    if (poll(watched_.data(), watched_.size(), wait_ms()) < 0) continue;
    for (const pollfd& one : watched_) {
      if (!one.revents) continue;
      if (one.fd == signals_) {
        act_on_signals();
      } else if (one.fd == receive_) {
        add_socket();
      } else if (std::ranges::find(sockets_, one.fd) != sockets_.end()) {
        accept_from(one.fd);
      } else {
        const auto place = std::ranges::find(places_, one.fd, &Place::channel);
        if (place != places_.end()) hear_from(uint8_t(place - places_.begin()));
      }
    }
    if (stopping_ && deadline_ms_ < 0) deadline_ms_ = now_ms() + drain_ms;
    if (deadline_ms_ < 0 || now_ms() < deadline_ms_) continue;
    if (told_to_leave) break;
    close_all();
    told_to_leave = true;
    deadline_ms_ = now_ms() + kGoodbyeMs;
  }
  dismiss();
}

/// The end of its channel ends a process.
void Room::dismiss() {
  for (const Place& place : places_) {
    if (place.channel >= 0) close(place.channel);
  }
  while (waitpid(-1, nullptr, 0) > 0) {
  }
}

void Room::watch() {
  watched_.assign({{signals_, POLLIN, 0}, {receive_, POLLIN, 0}});
  // Who finds no seat waits at the door, which is the kernel's queue.
  if (free_seat() >= 0) {
    for (const int socket : sockets_)
      watched_.push_back({socket, POLLIN, 0});
  }
  for (const Place& place : places_) {
    if (place.channel >= 0) watched_.push_back({place.channel, POLLIN, 0});
  }
}

void Room::act_on_signals() {
  signalfd_siginfo signal{};
  if (read(signals_, &signal, sizeof signal) != sizeof signal) return;
  if (signal.ssi_signo == SIGCHLD) {
    reap();
  } else {
    stop_accepting();
  }
}

/// One SIGCHLD may stand for many deaths.
void Room::reap() {
  pid_t pid = 0;
  while ((pid = waitpid(-1, nullptr, WNOHANG)) > 0) {
    const auto place = std::ranges::find(places_, pid, &Place::pid);
    if (place != places_.end()) leave(uint8_t(place - places_.begin()));
  }
}

/// Closes the room's own copies of the sockets: whoever knocks waits for the next process, because
/// the supervisor has copies, too.
void Room::stop_accepting() {
  if (stopping_) return;
  stopping_ = true;
  notify("STOPPING=1\nSTATUS=waiting for those inside to leave");
  for (const int socket : sockets_)
    close(socket);
  sockets_.clear();
}

void Room::add_socket() {
  const int socket = receive_listening_socket(receive_);
  if (socket >= 0 && !stopping_) {
    sockets_.push_back(socket);
    notify(("STATUS=" + std::to_string(sockets_.size()) + " ways in").c_str());
  } else if (socket >= 0) {
    close(socket);
  } else if (socket == kNoMore) {
    close(receive_);
    receive_ = -1;  // which poll(2) overlooks
  }
}

void Room::accept_from(int socket) {
  const int seat = free_seat();
  if (seat < 0) return;
  const int client = accept4(socket, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (client < 0) return;  // another process was quicker, or the client has gone
  seat_client(uint8_t(seat), client);
  close(client);
}

void Room::seat_client(uint8_t seat, int client) {
  int channel[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channel) != 0) return;
  const pid_t pid = fork();
  if (pid == 0) {
    close(channel[0]);
    become_member(seat, client, channel[1]);
  }
  // Were our copy of the far end left open, the end of a process could not be seen.
  close(channel[1]);
  if (pid < 0) {
    close(channel[0]);
    return;
  }
  places_[seat].pid = pid;
  places_[seat].channel = channel[0];
}

/// In the new process. SIGTERM stays blocked: it is for the room.
void Room::become_member(uint8_t seat, int client, int channel) {
  close(signals_);
  if (receive_ >= 0) close(receive_);
  for (const int socket : sockets_)
    close(socket);
  for (const Place& place : places_) {
    if (place.channel >= 0) close(place.channel);
  }
  Member(seats_, seat, client, channel).serve();
  _exit(0);
}

/// False when there is nothing to hear.
bool Room::hear_from(uint8_t seat) {
  Message message{};
  if (recv(places_[seat].channel, &message, sizeof message, MSG_DONTWAIT) != sizeof message) {
    return false;  // its end, perhaps; SIGCHLD will say so
  }
  if (message.word == Word::said) pass_on(seat);
  if (message.word == Word::heard) has_heard(seat, message.seat);
  return true;
}

void Room::pass_on(uint8_t speaker) {
  for (size_t seat = 0; seat < kSeats; seat++) {
    if (places_[seat].pid == 0) continue;
    places_[speaker].hearing.set(seat);
    tell(uint8_t(seat), {Word::hear, speaker});
  }
}

void Room::has_heard(uint8_t listener, uint8_t speaker) {
  std::bitset<kSeats>& hearing = places_[speaker].hearing;
  if (!hearing.test(listener)) return;
  hearing.reset(listener);
  if (hearing.none() && places_[speaker].pid != 0) tell(speaker, {Word::next, speaker});
}

/// Its process has ended. Its last line may still be under way.
void Room::leave(uint8_t seat) {
  while (hear_from(seat)) {
  }
  close(places_[seat].channel);
  places_[seat].pid = 0;
  places_[seat].channel = -1;
  for (size_t speaker = 0; speaker < kSeats; speaker++)
    has_heard(seat, uint8_t(speaker));
}

/// Not to have reached a process means that it is ending, and SIGCHLD on its way.
void Room::tell(uint8_t seat, Message message) {
  send(places_[seat].channel, &message, sizeof message, MSG_NOSIGNAL);
}

void Room::close_all() {
  for (size_t seat = 0; seat < kSeats; seat++) {
    if (places_[seat].pid != 0) tell(uint8_t(seat), {Word::close, 0});
  }
}

int Room::free_seat() const {
  const auto place = std::ranges::find_if_not(places_, &Place::taken);
  return place == places_.end() ? -1 : int(place - places_.begin());
}

bool Room::empty() const {
  return std::ranges::all_of(places_, [](const Place& place) { return place.pid == 0; });
}

int Room::wait_ms() const {
  return deadline_ms_ < 0 ? -1 : int(std::max<int64_t>(0, deadline_ms_ - now_ms()));
}

}  // namespace chat
