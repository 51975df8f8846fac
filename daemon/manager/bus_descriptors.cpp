#include "daemon/manager/bus_descriptors.hpp"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <utility>

#include "common/bus_api.hpp"
#include "common/unit/descriptor_name.hpp"
#include "daemon/manager/log.hpp"
#include "daemon/manager/notify_message.hpp"

namespace foster::manager {
namespace {

constexpr char kShuttingDown[] = "fosterd is shutting down";
constexpr size_t kWhatMax = 4096;  // bytes; of the paths that there may be, the longest

bool no_more_descriptors(int error) {
  return error == EMFILE || error == ENFILE || error == ETOOMANYREFS;
}

int fail(sd_bus_error* error, const char* name, const std::string& message) {
  return sd_bus_error_set(error, name, message.c_str());
}

/// Why nothing that is passed would ever come to a process of the unit; empty: it would.
std::string_view why_no_process(const UnitSpec& unit) {
  if (unit.type == ServiceType::group) return "it is a group, which has no process";
  if (accepts_connections(unit))
    return "it listens for its instances, and has no process of its own";
  if (serves_connections(unit)) return "it is started for a connection, and is given that alone";
  return {};
}

/// What the methods have in common: a unit, and mostly a descriptor's name.
struct Subject {
  UnitIndex unit;
  std::string unit_name;
  std::string name;
};

}  // namespace

struct BusDescriptors::Methods {
  /// The seat of a caller that may go on; null: the answer is in `result`.
  static Seat* admitted(void* self, sd_bus_error* error, const char* what, int& result) {
    auto* seat = static_cast<Seat*>(self);
    result = 1;
    if (!seat->caller->keeps_up()) return nullptr;
    if (what == nullptr) return seat;
    if (!seat->caller->may_change()) {
      result = refuse(*seat->caller, error, what);
      return nullptr;
    }
    if (!seat->server->shell_.shutting_down()) return seat;
    result = fail(error, bus_api::kErrorShuttingDown, kShuttingDown);
    return nullptr;
  }

  /// 0, or what the method returns.
  static int find_unit(const BusDescriptors& server, const char* name, Subject& subject,
                       sd_bus_error* error) {
    const auto unit = server.set_->find(name);
    if (!unit) return fail(error, bus_api::kErrorNoSuchUnit, "no such unit: " + std::string(name));
    subject.unit = *unit;
    subject.unit_name = name;
    return 0;
  }

  static int read_subject(const BusDescriptors& server, sd_bus_message* call, Subject& subject,
                          sd_bus_error* error) {
    const char* unit = nullptr;
    const char* name = nullptr;
    if (const int r = sd_bus_message_read(call, "ss", &unit, &name); r < 0) return r;
    subject.name = name;
    return find_unit(server, unit, subject, error);
  }

  static int pass(sd_bus_message* call, void* self, sd_bus_error* error) {
    int result = 0;
    Seat* seat = admitted(self, error, "pass descriptors", result);
    if (seat == nullptr) return result;
    Subject subject;
    result = read_subject(*seat->server, call, subject, error);
    if (result != 0) return result;
    int borrowed = -1;  // the message's
    if (sd_bus_message_read(call, "h", &borrowed) < 0)
      return fail(error, bus_api::kErrorInvalid,
                  "cannot pass a descriptor to " + subject.unit_name + ": none came");
    if (!is_descriptor_name(subject.name))
      return fail(error, bus_api::kErrorInvalid, descriptor_name_mistake(subject.name));
    const std::string_view why = why_no_process((*seat->server->set_)[subject.unit]);
    if (!why.empty())
      return fail(error, SD_BUS_ERROR_FAILED,
                  "cannot pass a descriptor to " + subject.unit_name + ": " + std::string(why));
    UniqueFd fd(fcntl(borrowed, F_DUPFD_CLOEXEC, 3));
    const int no_copy = fd ? 0 : errno;
    const BusCaller& caller = *seat->caller;
    // The process that asks, fosterctl's helper, has ended by the time that somebody reads this.
    const std::string from = "uid " + std::to_string(caller.uid);
    const Result<bool> live =
        fd ? seat->server->shell_.descriptors->pass(subject.unit, subject.name, from, std::move(fd))
           : Result<bool>(system_failure("take the descriptor", no_copy));
    if (!live) return refused(error, live.error());
    log(Level::info, "a descriptor was passed",
        {{"unit", subject.unit_name},
         {"name", subject.name},
         {"live", *live ? "yes" : "no"},
         {"uid", caller.uid},
         {"pid", caller.pid}});
    return answer(*seat, call, "b", static_cast<int>(*live));
  }

  static int refused(sd_bus_error* error, const Error& why) {
    const bool too_many = no_more_descriptors(why.system_error);
    return fail(error, too_many ? bus_api::kErrorTooMany : SD_BUS_ERROR_FAILED, why.message);
  }

  /// What was done is seen in the status region before its answer.
  template <class Value>
  static int answer(const Seat& seat, sd_bus_message* call, const char* type, Value value) {
    sd_bus_message* made = nullptr;
    int r = sd_bus_message_new_method_return(call, &made);
    BusMessage kept(made);
    if (r >= 0) r = sd_bus_message_append(made, type, value);
    if (r < 0) return r;
    seat.server->shell_.answer(std::move(kept));
    return 1;
  }

  /// What a descriptor is called elsewhere may be any bytes, of which D-Bus takes only UTF-8.
  static int append_held(sd_bus_message* made, const HeldView& held) {
    const std::string what = one_line(held.what, kWhatMax);
    const std::string from = one_line(held.from, kWhatMax);
    return sd_bus_message_append(made, "(sssxs)", origin_text(held.origin), held.name.c_str(),
                                 what.c_str(), held.since_real_ns, from.c_str());
  }

  static int list(sd_bus_message* call, void* self, sd_bus_error* error) {
    int result = 0;
    Seat* seat = admitted(self, error, nullptr, result);
    if (seat == nullptr) return result;
    const char* unit = nullptr;
    if (result = sd_bus_message_read(call, "s", &unit); result < 0) return result;
    Subject subject;
    if (result = find_unit(*seat->server, unit, subject, error); result != 0) return result;
    sd_bus_message* made = nullptr;
    int r = sd_bus_message_new_method_return(call, &made);
    const BusMessage kept(made);
    if (r >= 0) r = sd_bus_message_open_container(made, 'a', "(sssxs)");
    for (const HeldView& held : seat->server->shell_.descriptors->list(subject.unit))
      if (r >= 0) r = append_held(made, held);
    if (r >= 0) r = sd_bus_message_close_container(made);
    return r < 0 ? r : sd_bus_send(nullptr, made, nullptr);
  }

  /// Why the socket of that name is not to be dropped; empty: the unit has none.
  static std::string why_not_dropped(const Descriptors& descriptors, const Subject& subject) {
    if (descriptors.own_sockets(subject.unit, subject.name).empty()) return {};
    const std::vector<HeldView> all = descriptors.list(subject.unit);
    const bool inherited = std::ranges::any_of(all, [&](const HeldView& held) {
      return held.name == subject.name && held.origin == Origin::inherited;
    });
    return subject.name + " is a [[socket]] of " + subject.unit_name +
           (inherited ? ", and is of the supervisor above: it is not closed while fosterd runs"
                      : ": it is closed when the unit is stopped");
  }

  static int drop(sd_bus_message* call, void* self, sd_bus_error* error) {
    int result = 0;
    Seat* seat = admitted(self, error, "drop descriptors", result);
    if (seat == nullptr) return result;
    Subject subject;
    result = read_subject(*seat->server, call, subject, error);
    if (result != 0) return result;
    Descriptors& descriptors = *seat->server->shell_.descriptors;
    const uint32_t dropped = descriptors.drop(subject.unit, subject.name);
    const std::string why = dropped == 0 ? why_not_dropped(descriptors, subject) : std::string();
    if (!why.empty()) return fail(error, SD_BUS_ERROR_FAILED, why);
    if (dropped == 0) return nothing_called_so(error, subject);
    log(Level::info, "descriptors were dropped",
        {{"unit", subject.unit_name},
         {"name", subject.name},
         {"count", dropped},
         {"uid", seat->caller->uid},
         {"pid", seat->caller->pid}});
    return answer(*seat, call, "u", dropped);
  }

  /// Other descriptors than sockets would not be claimed by anybody when they come back.
  static int hand_up(sd_bus_message* call, void* self, sd_bus_error* error) {
    int result = 0;
    Seat* seat = admitted(self, error, "hand up descriptors", result);
    if (seat == nullptr) return result;
    Subject subject;
    result = read_subject(*seat->server, call, subject, error);
    if (result != 0) return result;
    const Shell& shell = seat->server->shell_;
    const std::vector<int> sockets = shell.descriptors->own_sockets(subject.unit, subject.name);
    if (sockets.empty())
      return fail(
          error, bus_api::kErrorNoSuchDescriptor,
          "no [[socket]] of " + subject.unit_name + " that is open is called " + subject.name);
    for (const int socket : sockets)
      if (!shell.store_above(subject.name, socket))
        return fail(error, SD_BUS_ERROR_FAILED,
                    "nobody above fosterd keeps descriptors: it has no $NOTIFY_SOCKET");
    shell.descriptors->handed_up(subject.unit, subject.name);
    log(Level::info, "sockets were offered to the supervisor above",
        {{"unit", subject.unit_name}, {"name", subject.name}, {"count", sockets.size()}});
    return answer(*seat, call, "u", static_cast<uint32_t>(sockets.size()));
  }

  static int nothing_called_so(sd_bus_error* error, const Subject& subject) {
    return fail(error, bus_api::kErrorNoSuchDescriptor,
                "nothing is held for " + subject.unit_name + " that is called " + subject.name);
  }

  static int take(sd_bus_message* call, void* self, sd_bus_error* error) {
    int result = 0;
    Seat* seat = admitted(self, error, "take descriptors", result);
    if (seat == nullptr) return result;
    Subject subject;
    result = read_subject(*seat->server, call, subject, error);
    if (result != 0) return result;
    const Result<UniqueFd> fd = seat->server->shell_.descriptors->take(subject.unit, subject.name);
    if (!fd && fd.error().system_error == ENOENT) return nothing_called_so(error, subject);
    if (!fd) return refused(error, fd.error());
    log(Level::info, "a descriptor was taken",
        {{"unit", subject.unit_name},
         {"name", subject.name},
         {"uid", seat->caller->uid},
         {"pid", seat->caller->pid}});
    return sd_bus_reply_method_return(call, "h", fd->get());
  }

  static const sd_bus_vtable table[];
};

// As in bus_server.cpp: each method judges its caller itself.
const sd_bus_vtable BusDescriptors::Methods::table[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_METHOD(bus_api::kPass, "ssh", "b", pass, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD(bus_api::kDescriptors, "s", "a(sssxs)", list, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD(bus_api::kDrop, "ss", "u", drop, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD(bus_api::kTake, "ss", "h", take, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD(bus_api::kHandUp, "ss", "u", hand_up, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_VTABLE_END};

int BusDescriptors::add_to(sd_bus* bus, Seat& seat) {
  return sd_bus_add_object_vtable(bus, nullptr, bus_api::kObjectPath, bus_api::kInterface,
                                  Methods::table, &seat);
}

}  // namespace foster::manager
