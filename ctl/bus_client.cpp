#include "ctl/bus_client.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

#include <fmt/format.h>
#include <systemd/sd-bus.h>

#include "common/bus_api.hpp"
#include "ctl/bus_values.hpp"

namespace foster::ctl {
namespace {

// A manager that dies each time it is asked is not asked for ever.
constexpr int kAttempts = 10;

template <auto Release>
struct Releaser {
  template <class T>
  void operator()(T* object) const {
    Release(object);
  }
};

using Bus = std::unique_ptr<sd_bus, Releaser<sd_bus_close_unref>>;
using Message = std::unique_ptr<sd_bus_message, Releaser<sd_bus_message_unref>>;
using Slot = std::unique_ptr<sd_bus_slot, Releaser<sd_bus_slot_unref>>;

Answer unanswered(RequestExit how, std::string message) {
  return {.how = how, .message = std::move(message)};
}

bool connection_lost(int error) {
  return error == ECONNRESET || error == ENOTCONN || error == EPIPE || error == ESHUTDOWN ||
         error == ECONNABORTED;
}

/// Why there is no answer, from an errno.
Answer no_answer(const Call& call, int error) {
  if (connection_lost(error)) {
    return {.how = RequestExit::no_connection,
            .message = "the manager went away before it answered, again and again",
            .lost = true};
  }
  const std::string reason =
      fmt::format("cannot reach the manager at {}: {}", call.socket, strerrordesc_np(error));
  switch (error) {
    case ENOENT:
    case ENOTDIR:
    case ECONNREFUSED:
      return unanswered(RequestExit::no_connection, reason);
    case EACCES:
    case EPERM:
      return unanswered(RequestExit::not_permitted, reason);
    case EOPNOTSUPP:  // The manager takes no descriptors from us.
      return unanswered(RequestExit::not_permitted,
                        "only root and the daemon's own user may pass descriptors");
    case EAGAIN:  // Its queue of connections is full.
    case ETIMEDOUT:
      return unanswered(RequestExit::timed_out, reason);
    default:
      return unanswered(RequestExit::failed, reason);
  }
}

int make_message(sd_bus* bus, const Call& call, Message& made) {
  sd_bus_message* message = nullptr;
  const int r = sd_bus_message_new_method_call(bus, &message, nullptr, bus_api::kObjectPath,
                                               bus_api::kInterface, call.method.c_str());
  made.reset(message);
  if (r < 0) return r;
  return append_arguments(message, call);
}

Answer answer_of(const Call& call, sd_bus_message* reply) {
  if (const sd_bus_error* error = sd_bus_message_get_error(reply)) {
    // The answer that sd-bus makes itself when the connection ends before there is one.
    if (std::strcmp(error->name, SD_BUS_ERROR_NO_REPLY) == 0) return no_answer(call, ECONNRESET);
    return {.how = RequestExit::refused,
            .error_name = error->name,
            .message = error->message == nullptr ? "refused" : error->message};
  }
  Answer answer{.how = RequestExit::answered};
  const int r = read_answer(reply, answer);
  if (r < 0) return unanswered(RequestExit::failed, "cannot understand the manager's answer");
  return answer;
}

int keep_reply(sd_bus_message* reply, void* kept, sd_bus_error*) {
  static_cast<Message*>(kept)->reset(sd_bus_message_ref(reply));
  return 1;
}

/// Turns the connection's wheel until the reply is there. 0, or a negative errno.
int await_reply(sd_bus* bus, const Message& reply, Instant until) {
  while (reply == nullptr) {
    const int worked = sd_bus_process(bus, nullptr);
    if (worked < 0) return worked;
    if (worked > 0) continue;
    const Duration left = until - now_since_boot();
    if (left.count() <= 0) return -ETIMEDOUT;
    const auto microseconds = std::chrono::ceil<std::chrono::microseconds>(left).count();
    const int waited = sd_bus_wait(bus, static_cast<uint64_t>(microseconds));
    if (waited < 0 && waited != -EINTR) return waited;
  }
  return 0;
}

int connect(const Call& call, Bus& bus) {
  sd_bus* made = nullptr;
  int r = sd_bus_new(&made);
  bus.reset(made);
  if (r >= 0) r = sd_bus_set_address(made, bus_address(call.socket).c_str());
  if (r >= 0) r = sd_bus_negotiate_fds(made, 1);
  return r < 0 ? r : sd_bus_start(made);
}

Answer attempt(const Call& call, Instant until) {
  Bus bus;
  Message message;
  Message reply;
  sd_bus_slot* pending = nullptr;
  int r = connect(call, bus);
  if (r >= 0) r = make_message(bus.get(), call, message);
  // Our own clock ends the wait: sd-bus's would not count the time before the connection stands.
  if (r >= 0)
    r = sd_bus_call_async(bus.get(), &pending, message.get(), keep_reply, &reply, UINT64_MAX);
  const Slot slot(pending);
  if (r >= 0) r = await_reply(bus.get(), reply, until);
  return r < 0 ? no_answer(call, -r) : answer_of(call, reply.get());
}

}  // namespace

bool takes_number(std::string_view method) {
  return method == bus_api::kSignal || method == bus_api::kScale || method == bus_api::kPass ||
         method == bus_api::kTake;
}

std::string bus_address(const std::string& path) {
  std::string address = "unix:path=";
  for (const char byte : path) {
    const bool plain = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                       (byte >= '0' && byte <= '9') || std::strchr("-_/.*", byte) != nullptr;
    address +=
        plain ? std::string(1, byte) : fmt::format("%{:02x}", static_cast<unsigned char>(byte));
  }
  return address;
}

Answer make_call(const Call& call, Instant until) {
  Answer answer = attempt(call, until);
  if (answer.lost && call.method == bus_api::kShutdown) answer.how = RequestExit::lost;
  for (int attempts = 1; answer.how == RequestExit::no_connection && answer.lost; ++attempts) {
    if (attempts == kAttempts) break;
    answer = attempt(call, until);
  }
  return answer;
}

}  // namespace foster::ctl
