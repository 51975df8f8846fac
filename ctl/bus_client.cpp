#include "ctl/bus_client.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

#include <fmt/format.h>
#include <systemd/sd-bus.h>

#include "common/bus_api.hpp"

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
    case EAGAIN:  // Its queue of connections is full.
    case ETIMEDOUT:
      return unanswered(RequestExit::timed_out, reason);
    default:
      return unanswered(RequestExit::failed, reason);
  }
}

int append_names(sd_bus_message* message, const std::vector<std::string>& names) {
  int r = sd_bus_message_open_container(message, 'a', "s");
  for (const std::string& name : names) {
    if (r < 0) return r;
    r = sd_bus_message_append(message, "s", name.c_str());
  }
  return r < 0 ? r : sd_bus_message_close_container(message);
}

/// Without arguments.
bool is_plain(std::string_view method) {
  return method == bus_api::kShutdown || method == bus_api::kVersion || method == bus_api::kLoad;
}

int make_message(sd_bus* bus, const Call& call, Message& made) {
  sd_bus_message* message = nullptr;
  int r = sd_bus_message_new_method_call(bus, &message, nullptr, bus_api::kObjectPath,
                                         bus_api::kInterface, call.method.c_str());
  made.reset(message);
  if (r < 0) return r;
  if (call.method == bus_api::kScale) {
    const std::string name = call.names.empty() ? std::string() : call.names.front();
    return sd_bus_message_append(message, "su", name.c_str(), call.number);
  }
  if (!is_plain(call.method)) r = append_names(message, call.names);
  if (r >= 0 && call.method == bus_api::kSignal)
    r = sd_bus_message_append(message, "i", static_cast<int>(call.number));
  return r;
}

/// The answer's values, a line each, whatever their types are among those of bus_api.hpp.
int read_lines(sd_bus_message* reply, std::vector<std::string>& lines) {
  const char* signature = sd_bus_message_get_signature(reply, 1);
  const char* name = nullptr;
  int r = 0;
  if (*signature == '\0') return 0;
  if (std::strcmp(signature, "i") == 0) {
    int number = 0;
    r = sd_bus_message_read(reply, "i", &number);
    if (r > 0) lines.push_back(std::to_string(number));
  } else if (std::strcmp(signature, "s") == 0) {
    r = sd_bus_message_read(reply, "s", &name);
    if (r > 0) lines.emplace_back(name);
  } else if (std::strcmp(signature, "as") == 0) {
    r = sd_bus_message_enter_container(reply, 'a', "s");
    while (r > 0 && (r = sd_bus_message_read(reply, "s", &name)) > 0)
      lines.emplace_back(name);
  } else if (std::strcmp(signature, "a(st)") == 0) {
    uint64_t job = 0;
    r = sd_bus_message_enter_container(reply, 'a', "(st)");
    while (r > 0 && (r = sd_bus_message_read(reply, "(st)", &name, &job)) > 0)
      lines.push_back(fmt::format("{}\t{}", name, job));
  } else {
    return -EBADMSG;
  }
  return r;
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
  const int r = read_lines(reply, answer.lines);
  return r < 0 ? unanswered(RequestExit::failed, "cannot understand the manager's answer") : answer;
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
  return method == bus_api::kSignal || method == bus_api::kScale;
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
