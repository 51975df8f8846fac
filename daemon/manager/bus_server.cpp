#include "daemon/manager/bus_server.hpp"

#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

#include "common/bus_api.hpp"
#include "daemon/manager/log.hpp"
#include "daemon/manager/renewal.hpp"

namespace foster::manager {
namespace {

/// Connections that one user may hold, so that none can take them all. Root and the daemon's own
/// user are not counted.
constexpr size_t kConnectionsPerUser = 8;
/// And how long each.
constexpr uint64_t kVisitUs = 30'000'000;

/// Of the descriptors that the manager may have, the clients' share.
constexpr rlim_t kClientsShare = 4;

size_t clients_max() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return SIZE_MAX;
  return limit.rlim_cur / kClientsShare;
}

constexpr uint32_t kInstancesMax = 10'000;

constexpr char kShuttingDown[] = "fosterd is shutting down";

const char* error_name(core::Refusal refusal) {
  switch (refusal) {
    case core::Refusal::shutting_down:
      return bus_api::kErrorShuttingDown;
    case core::Refusal::not_running:
      return bus_api::kErrorNotRunning;
    case core::Refusal::masked:
      return bus_api::kErrorMasked;
    case core::Refusal::cannot_reload:
      return bus_api::kErrorCannotReload;
    case core::Refusal::cannot_overlap:
      return bus_api::kErrorCannotOverlap;
    case core::Refusal::none:
      break;
  }
  return SD_BUS_ERROR_FAILED;
}

std::string error_text(core::Refusal refusal, const std::string& unit) {
  switch (refusal) {
    case core::Refusal::shutting_down:
      return kShuttingDown;
    case core::Refusal::not_running:
      return unit + " has no running process";
    case core::Refusal::masked:
      return unit + " is masked";
    case core::Refusal::cannot_reload:
      return unit + " has no way to reload";
    case core::Refusal::cannot_overlap:
      return unit +
             " cannot have a new process beside the old one: that is for simple and notify "
             "services whose [ready] the old one does not answer";
    case core::Refusal::none:
      break;
  }
  return "the request was refused";
}

int read_patterns(sd_bus_message* call, std::vector<std::string>& patterns) {
  int r = sd_bus_message_enter_container(call, 'a', "s");
  if (r < 0) return r;
  const char* text = nullptr;
  while ((r = sd_bus_message_read(call, "s", &text)) > 0)
    patterns.emplace_back(text);
  return r < 0 ? r : sd_bus_message_exit_container(call);
}

const char* verb_text(core::Verb verb) {
  switch (verb) {
    case core::Verb::start:
      return "start";
    case core::Verb::stop:
      return "stop";
    case core::Verb::restart:
      return "restart";
    case core::Verb::reload:
      return "reload";
    case core::Verb::reset:
      return "reset";
    case core::Verb::overlap:
      return "restart with an overlap";
    case core::Verb::none:
      break;
  }
  return "nothing";
}

const char* verb_text(SettingVerb verb) {
  switch (verb) {
    case SettingVerb::enable:
      return "enable";
    case SettingVerb::disable:
      return "disable";
    case SettingVerb::mask:
      return "mask";
    case SettingVerb::unmask:
      return "unmask";
  }
  return "nothing";
}

/// A client that has gone meanwhile is no error: its request stands all the same.
void warn_of_lost_answer(int r) {
  if (r < 0 && r != -ENOTCONN && r != -ECONNRESET && r != -EPIPE)
    log(Level::warning, "cannot answer a request", {{"error", strerrordesc_np(-r)}});
}

}  // namespace

struct BusServer::Client : BusCaller {
  BusServer* server = nullptr;
  BusDescriptors::Seat seat;
  sd_event_source* visit = nullptr;  // its end

  ~Client() { sd_event_source_disable_unref(visit); }
};

struct BusServer::Methods {
  static bool starts(core::Verb verb) {
    return verb == core::Verb::start || verb == core::Verb::restart || verb == core::Verb::overlap;
  }

  static int change(core::Verb verb, sd_bus_message* call, void* self, sd_bus_error* error) {
    Client& client = *static_cast<Client*>(self);
    BusServer& server = *client.server;
    if (!client.keeps_up()) return 1;
    if (!client.may_change()) return refuse(client, error, verb_text(verb));
    std::vector<std::string> patterns;
    if (const int r = read_patterns(call, patterns); r < 0) return r;
    auto units = server.units_named(patterns);
    if (!units)
      return sd_bus_error_set(error, bus_api::kErrorNoSuchUnit, units.error().message.c_str());
    if (starts(verb) && server.leave_out_connections(*units))
      return sd_bus_error_setf(error, bus_api::kErrorInvalid,
                               "%s is started by a connection, and by nothing else",
                               patterns.front().c_str());
    log(Level::info, "asked to change units",
        {{"verb", verb_text(verb)},
         {"units", units->size()},
         {"uid", client.uid},
         {"pid", client.pid}});
    server.waiting_[++server.last_token_].reset(sd_bus_message_ref(call));
    server.shell_.queue(core::Request{server.last_token_, verb, *units});
    return 1;
  }

  static int start(sd_bus_message* call, void* self, sd_bus_error* error) {
    return change(core::Verb::start, call, self, error);
  }
  static int stop(sd_bus_message* call, void* self, sd_bus_error* error) {
    return change(core::Verb::stop, call, self, error);
  }
  static int restart(sd_bus_message* call, void* self, sd_bus_error* error) {
    return change(core::Verb::restart, call, self, error);
  }

  static int overlap(sd_bus_message* call, void* self, sd_bus_error* error) {
    return change(core::Verb::overlap, call, self, error);
  }

  static int reload(sd_bus_message* call, void* self, sd_bus_error* error) {
    return change(core::Verb::reload, call, self, error);
  }
  static int reset(sd_bus_message* call, void* self, sd_bus_error* error) {
    return change(core::Verb::reset, call, self, error);
  }

  static int set(SettingVerb verb, sd_bus_message* call, void* self, sd_bus_error* error) {
    Client& client = *static_cast<Client*>(self);
    BusServer& server = *client.server;
    if (!client.keeps_up()) return 1;
    if (!client.may_change()) return refuse(client, error, verb_text(verb));
    std::vector<std::string> patterns;
    if (const int r = read_patterns(call, patterns); r < 0) return r;
    const auto units = server.units_named(patterns);
    if (!units)
      return sd_bus_error_set(error, bus_api::kErrorNoSuchUnit, units.error().message.c_str());
    if (units->empty())
      return sd_bus_error_set(error, bus_api::kErrorInvalid, "no units are named");
    log(Level::info, "asked to change settings",
        {{"verb", verb_text(verb)},
         {"units", server.names_of(*units)},
         {"uid", client.uid},
         {"pid", client.pid}});
    server.shell_.set(verb, *units, server.answer_later(call, *units));
    return 1;
  }

  static int enable(sd_bus_message* call, void* self, sd_bus_error* error) {
    return set(SettingVerb::enable, call, self, error);
  }
  static int disable(sd_bus_message* call, void* self, sd_bus_error* error) {
    return set(SettingVerb::disable, call, self, error);
  }
  static int mask(sd_bus_message* call, void* self, sd_bus_error* error) {
    return set(SettingVerb::mask, call, self, error);
  }
  static int unmask(sd_bus_message* call, void* self, sd_bus_error* error) {
    return set(SettingVerb::unmask, call, self, error);
  }

  static int load(sd_bus_message* call, void* self, sd_bus_error* error) {
    Client& client = *static_cast<Client*>(self);
    BusServer& server = *client.server;
    if (!client.keeps_up()) return 1;
    if (!client.may_change()) return refuse(client, error, "load");
    if (server.shell_.shutting_down())
      return sd_bus_error_set(error, bus_api::kErrorShuttingDown, kShuttingDown);
    log(Level::info, "asked to load the unit files", {{"uid", client.uid}, {"pid", client.pid}});
    server.shell_.load(server.answer_later(call, {}));
    return 1;
  }

  static int scale(sd_bus_message* call, void* self, sd_bus_error* error) {
    Client& client = *static_cast<Client*>(self);
    BusServer& server = *client.server;
    if (!client.keeps_up()) return 1;
    if (!client.may_change()) return refuse(client, error, "scale");
    const char* text = nullptr;
    uint32_t instances = 0;
    if (const int r = sd_bus_message_read(call, "su", &text, &instances); r < 0) return r;
    std::string name(text);
    if (name.ends_with('@')) name.pop_back();
    if (std::ranges::find(server.shell_.templates, name) == server.shell_.templates.end())
      return sd_bus_error_setf(error, bus_api::kErrorNoSuchUnit, "no such template: %s@",
                               name.c_str());
    if (server.set_->find(name + "@"))
      return sd_bus_error_setf(error, bus_api::kErrorInvalid,
                               "%s@ has an instance for each connection: max-connections of its "
                               "[[socket]] says how many",
                               name.c_str());
    if (instances > kInstancesMax)
      return sd_bus_error_setf(error, bus_api::kErrorInvalid, "%u instances are more than %u",
                               instances, kInstancesMax);
    if (server.shell_.shutting_down())
      return sd_bus_error_set(error, bus_api::kErrorShuttingDown, kShuttingDown);
    log(Level::info, "asked to scale",
        {{"template", name}, {"instances", instances}, {"uid", client.uid}, {"pid", client.pid}});
    server.shell_.scale(name, instances, server.answer_later(call, {}));
    return 1;
  }

  static int signal(sd_bus_message* call, void* self, sd_bus_error* error) {
    Client& client = *static_cast<Client*>(self);
    BusServer& server = *client.server;
    if (!client.keeps_up()) return 1;
    if (!client.may_change()) return refuse(client, error, "signal");
    std::vector<std::string> patterns;
    int number = 0;
    if (const int r = read_patterns(call, patterns); r < 0) return r;
    if (const int r = sd_bus_message_read(call, "i", &number); r < 0) return r;
    if (number < 1 || number > SIGRTMAX)
      return sd_bus_error_set(error, bus_api::kErrorInvalid, "there is no such signal");
    const auto units = server.units_named(patterns);
    if (!units)
      return sd_bus_error_set(error, bus_api::kErrorNoSuchUnit, units.error().message.c_str());
    server.waiting_[++server.last_token_].reset(sd_bus_message_ref(call));
    server.shell_.queue(core::SignalRequest{server.last_token_, number, *units});
    return 1;
  }

  static int shutdown(sd_bus_message* call, void* self, sd_bus_error* error) {
    Client& client = *static_cast<Client*>(self);
    if (!client.keeps_up()) return 1;
    if (!client.may_change()) return refuse(client, error, "shut down");
    log(Level::info, "asked to shut down", {{"uid", client.uid}, {"pid", client.pid}});
    client.server->shutdowns_.emplace_back(sd_bus_message_ref(call));
    client.server->shell_.queue(core::ShutdownRequest{0});
    return 1;
  }

  static int version(sd_bus_message* call, void* self, sd_bus_error*) {
    if (!static_cast<Client*>(self)->keeps_up()) return 1;
    return sd_bus_reply_method_return(call, "s", FOSTER_VERSION);
  }

  static int visit_is_over(sd_event_source*, uint64_t, void* self) {
    static_cast<Client*>(self)->gone = true;
    return 0;
  }

  static int disconnected(sd_bus_message*, void* self, sd_bus_error*) {
    static_cast<Client*>(self)->gone = true;
    return 0;
  }

  static const sd_bus_vtable table[];
};

// Every method may be called by anyone as far as sd-bus goes; each judges its caller itself.
const sd_bus_vtable BusServer::Methods::table[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_METHOD(bus_api::kStart, "as", "a(st)", start, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD(bus_api::kStop, "as", "a(st)", stop, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD(bus_api::kRestart, "as", "a(st)", restart, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD(bus_api::kOverlap, "as", "a(st)", overlap, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD(bus_api::kReload, "as", "a(st)", reload, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD(bus_api::kReset, "as", "a(st)", reset, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD(bus_api::kEnable, "as", "as", enable, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD(bus_api::kDisable, "as", "as", disable, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD(bus_api::kMask, "as", "as", mask, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD(bus_api::kUnmask, "as", "as", unmask, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD(bus_api::kScale, "su", "", scale, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD(bus_api::kLoad, "", "", load, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD(bus_api::kSignal, "asi", "as", signal, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD(bus_api::kShutdown, "", "i", shutdown, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD(bus_api::kVersion, "", "s", version, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_VTABLE_END};

BusServer::BusServer(std::shared_ptr<const UnitSet> set, BusShell shell)
    : set_(std::move(set)),
      shell_(std::move(shell)),
      door_([this](UniqueFd connection, const ucred& peer) {
        return welcome(std::move(connection), peer);
      }),
      descriptors_(set_, {shell_.descriptors, shell_.store_above, shell_.shutting_down,
                          [this](BusMessage answer) { answers_.push_back(std::move(answer)); }}) {}

/// Those of connections among the units, which start with a connection in their hands. True: there
/// were no others.
bool BusServer::leave_out_connections(std::vector<UnitIndex>& units) const {
  const auto gone =
      std::erase_if(units, [this](UnitIndex unit) { return serves_connections((*set_)[unit]); });
  return gone > 0 && units.empty();
}

BusServer::~BusServer() = default;

Result<void> BusServer::attach(sd_event* loop, UniqueFd listening) {
  loop_ = loop;
  return door_.attach(loop, std::move(listening));
}

Result<void> BusServer::admit(const ucred& peer) const {
  if (clients_.size() >= clients_max())
    return failure("take another client", "they have their share of the open files already");
  if (peer.uid == 0 || peer.uid == geteuid()) return {};
  const auto of_peer = [&](const auto& client) { return client->uid == peer.uid; };
  const auto count = static_cast<size_t>(std::ranges::count_if(clients_, of_peer));
  if (count < kConnectionsPerUser) return {};
  return failure("take another client", "uid " + std::to_string(peer.uid) + " has " +
                                            std::to_string(count) + " connections already");
}

Result<void> BusServer::welcome(UniqueFd connection, const ucred& peer) {
  if (auto admitted = admit(peer); !admitted) return admitted;
  auto client = std::make_unique<Client>();
  client->server = this;
  client->seat = {&descriptors_, client.get()};
  client->uid = peer.uid;
  client->pid = peer.pid;
  int r = open_bus(*client, std::move(connection));
  if (r >= 0 && !client->may_change())
    r = sd_event_add_time_relative(loop_, &client->visit, CLOCK_BOOTTIME, kVisitUs, 0,
                                   Methods::visit_is_over, client.get());
  if (r < 0) return system_failure("open a connection", -r);
  clients_.push_back(std::move(client));
  return {};
}

int BusServer::open_bus(Client& client, UniqueFd connection) {
  sd_id128_t id{};
  int r = sd_id128_randomize(&id);
  if (r >= 0) r = sd_bus_new(&client.bus);
  if (r >= 0) r = sd_bus_set_fd(client.bus, connection.get(), connection.get());
  if (r < 0) return r;
  static_cast<void>(connection.release());  // The bus closes it from here on.
  r = sd_bus_set_server(client.bus, 1, id);
  // Of nobody else: sd-bus forgets to close what came with a message that it cannot read.
  if (r >= 0) r = sd_bus_negotiate_fds(client.bus, client.may_change() ? 1 : 0);
  if (r >= 0) r = sd_bus_start(client.bus);
  if (r >= 0)
    r = sd_bus_add_object_vtable(client.bus, nullptr, bus_api::kObjectPath, bus_api::kInterface,
                                 Methods::table, &client);
  if (r >= 0) r = BusDescriptors::add_to(client.bus, client.seat);
  if (r >= 0)
    r = sd_bus_match_signal(client.bus, nullptr, "org.freedesktop.DBus.Local",
                            "/org/freedesktop/DBus/Local", "org.freedesktop.DBus.Local",
                            "Disconnected", Methods::disconnected, &client);
  if (r >= 0) r = sd_bus_attach_event(client.bus, loop_, SD_EVENT_PRIORITY_NORMAL);
  return r;
}

Result<std::vector<UnitIndex>> BusServer::units_named(
    const std::vector<std::string>& patterns) const {
  std::vector<UnitIndex> units;
  for (const std::string& pattern : patterns) {
    const std::vector<UnitIndex> matching = set_->matching(pattern);
    if (matching.empty()) return std::unexpected(Error{"no such unit: " + pattern, 0});
    for (const UnitIndex unit : matching)
      if (std::ranges::find(units, unit) == units.end()) units.push_back(unit);
  }
  return units;
}

void BusServer::answer(const core::Reply& reply) {
  const auto found = waiting_.find(reply.token);
  if (found == waiting_.end()) return;  // Asked by a signal, not by a client.
  const Message call = std::move(found->second);
  waiting_.erase(found);
  if (reply.refusal != core::Refusal::none) {
    const std::string text = error_text(reply.refusal, (*set_)[reply.refused_for].name);
    sd_bus_reply_method_errorf(call.get(), error_name(reply.refusal), "%s", text.c_str());
    return;
  }
  const bool of_signal = sd_bus_message_is_method_call(call.get(), nullptr, bus_api::kSignal) > 0;
  const char* item = of_signal ? "s" : "(st)";
  sd_bus_message* made = nullptr;
  int r = sd_bus_message_new_method_return(call.get(), &made);
  const Message answer(made);
  if (r >= 0) r = sd_bus_message_open_container(made, 'a', item);
  for (const core::JobRef& job : reply.jobs) {
    if (r < 0) break;
    const char* name = (*set_)[job.unit].name.c_str();
    r = of_signal ? sd_bus_message_append(made, "s", name)
                  : sd_bus_message_append(made, "(st)", name, job.job.value);
  }
  if (r >= 0) r = sd_bus_message_close_container(made);
  if (r >= 0) r = sd_bus_send(nullptr, made, nullptr);
  warn_of_lost_answer(r);
}

std::string BusServer::names_of(const std::vector<UnitIndex>& units) const {
  std::string names;
  for (const UnitIndex unit : units)
    names += (names.empty() ? "" : " ") + (*set_)[unit].name;
  return names;
}

BusShell::Done BusServer::answer_later(sd_bus_message* call, std::vector<UnitIndex> units) {
  // Shared, because what can be called can be copied.
  const auto kept = std::make_shared<Message>(sd_bus_message_ref(call));
  return [this, kept, units = std::move(units)](const Result<void>& outcome) {
    answer_now(kept->get(), units, outcome);
  };
}

void BusServer::answer_now(sd_bus_message* call, const std::vector<UnitIndex>& units,
                           const Result<void>& outcome) {
  sd_bus_message* made = nullptr;
  int r = 0;
  if (!outcome) {
    const bool mistakes = outcome.error().system_error == kBadUnits;
    r = sd_bus_message_new_method_errorf(call, &made,
                                         mistakes ? bus_api::kErrorBadUnits : SD_BUS_ERROR_FAILED,
                                         "%s", outcome.error().message.c_str());
  } else {
    r = sd_bus_message_new_method_return(call, &made);
  }
  Message answer(made);
  const bool lists = r >= 0 && outcome && !units.empty();
  if (lists) r = sd_bus_message_open_container(made, 'a', "s");
  for (size_t i = 0; lists && r >= 0 && i < units.size(); ++i)
    r = sd_bus_message_append(made, "s", (*set_)[units[i]].name.c_str());
  if (lists && r >= 0) r = sd_bus_message_close_container(made);
  warn_of_lost_answer(r);
  if (r >= 0) answers_.push_back(std::move(answer));
}

void BusServer::turn_ended() {
  for (const Message& answer : answers_)
    warn_of_lost_answer(sd_bus_send(nullptr, answer.get(), nullptr));
  answers_.clear();
  for (const Message& call : shutdowns_)
    sd_bus_reply_method_return(call.get(), "i", static_cast<int32_t>(shell_.keeper));
  shutdowns_.clear();
  std::erase_if(clients_, [](const auto& client) { return client->gone; });
}

void BusServer::close() {
  door_.close();
  waiting_.clear();
  answers_.clear();
  clients_.clear();
}

}  // namespace foster::manager
