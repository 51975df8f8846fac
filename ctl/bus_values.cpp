#include "ctl/bus_values.hpp"

#include <fcntl.h>

#include <cerrno>
#include <cstring>

#include <fmt/format.h>

#include "common/bus_api.hpp"

namespace foster::ctl {
namespace {

/// Without arguments.
bool is_plain(std::string_view method) {
  return method == bus_api::kShutdown || method == bus_api::kVersion || method == bus_api::kLoad;
}

const char* name_at(const Call& call, size_t index) {
  return index < call.names.size() ? call.names[index].c_str() : "";
}

int append_names(sd_bus_message* message, const std::vector<std::string>& names) {
  int r = sd_bus_message_open_container(message, 'a', "s");
  for (const std::string& name : names) {
    if (r < 0) return r;
    r = sd_bus_message_append(message, "s", name.c_str());
  }
  return r < 0 ? r : sd_bus_message_close_container(message);
}

/// A field of a line.
std::string field(const char* text) {
  std::string field(text);
  for (char& c : field)
    if (c == '\n' || c == '\t') c = ' ';
  return field;
}

int read_names(sd_bus_message* reply, std::vector<std::string>& lines) {
  const char* name = nullptr;
  int r = sd_bus_message_enter_container(reply, 'a', "s");
  while (r > 0 && (r = sd_bus_message_read(reply, "s", &name)) > 0)
    lines.emplace_back(name);
  return r;
}

int read_jobs(sd_bus_message* reply, std::vector<std::string>& lines) {
  const char* name = nullptr;
  uint64_t job = 0;
  int r = sd_bus_message_enter_container(reply, 'a', "(st)");
  while (r > 0 && (r = sd_bus_message_read(reply, "(st)", &name, &job)) > 0)
    lines.push_back(fmt::format("{}\t{}", name, job));
  return r;
}

int read_held(sd_bus_message* reply, std::vector<std::string>& lines) {
  const char* origin = nullptr;
  const char* name = nullptr;
  const char* what = nullptr;
  const char* from = nullptr;
  int64_t since_ns = 0;
  int r = sd_bus_message_enter_container(reply, 'a', "(sssxs)");
  while (r > 0 &&
         (r = sd_bus_message_read(reply, "(sssxs)", &origin, &name, &what, &since_ns, &from)) > 0)
    lines.push_back(fmt::format("{}\t{}\t{}\t{}\t{}", field(origin), field(name), since_ns,
                                field(from), field(what)));
  return r;
}

int read_number(sd_bus_message* reply, char type, std::vector<std::string>& lines) {
  int32_t number = 0;  // of each of these types as large
  const int r = sd_bus_message_read_basic(reply, type, &number);
  if (r > 0) lines.push_back(std::to_string(number));
  return r;
}

int read_descriptor(sd_bus_message* reply, UniqueFd& descriptor) {
  int borrowed = -1;  // the message's
  const int r = sd_bus_message_read(reply, "h", &borrowed);
  if (r <= 0) return r;
  descriptor.reset(fcntl(borrowed, F_DUPFD_CLOEXEC, 3));
  return descriptor ? r : -errno;
}

}  // namespace

int append_arguments(sd_bus_message* message, const Call& call) {
  if (is_plain(call.method)) return 0;
  if (call.method == bus_api::kScale)
    return sd_bus_message_append(message, "su", name_at(call, 0), call.number);
  if (call.method == bus_api::kPass)
    return sd_bus_message_append(message, "ssh", name_at(call, 0), name_at(call, 1),
                                 static_cast<int>(call.number));
  if (call.method == bus_api::kDescriptors)
    return sd_bus_message_append(message, "s", name_at(call, 0));
  if (call.method == bus_api::kDrop || call.method == bus_api::kTake ||
      call.method == bus_api::kHandUp)
    return sd_bus_message_append(message, "ss", name_at(call, 0), name_at(call, 1));
  const int r = append_names(message, call.names);
  if (r < 0 || call.method != bus_api::kSignal) return r;
  return sd_bus_message_append(message, "i", static_cast<int>(call.number));
}

int read_answer(sd_bus_message* reply, Answer& answer) {
  const std::string_view signature = sd_bus_message_get_signature(reply, 1);
  if (signature.empty()) return 0;
  if (signature == "i" || signature == "u" || signature == "b")
    return read_number(reply, signature.front(), answer.lines);
  if (signature == "h") return read_descriptor(reply, answer.descriptor);
  if (signature == "as") return read_names(reply, answer.lines);
  if (signature == "a(st)") return read_jobs(reply, answer.lines);
  if (signature == "a(sssxs)") return read_held(reply, answer.lines);
  if (signature != "s") return -EBADMSG;
  const char* text = nullptr;
  const int r = sd_bus_message_read(reply, "s", &text);
  if (r > 0) answer.lines.emplace_back(text);
  return r;
}

}  // namespace foster::ctl
