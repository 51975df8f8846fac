// The shell round the core: takes over from the keeper, turns what happens into events, lets the
// core compute, publishes what changed, performs the actions. One turn of the loop does each of
// these once, in this order, so nothing is done that the status region does not already show; a
// manager killed between any two steps leaves its successor a state to go on from.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include <systemd/sd-event.h>

#include "common/result.hpp"
#include "daemon/core/supervisor.hpp"
#include "daemon/manager/background.hpp"
#include "daemon/manager/bus_server.hpp"
#include "daemon/manager/descriptors.hpp"
#include "daemon/manager/enablement.hpp"
#include "daemon/manager/errand.hpp"
#include "daemon/manager/executor.hpp"
#include "daemon/manager/instance_home.hpp"
#include "daemon/manager/keeper_client.hpp"
#include "daemon/manager/lookout.hpp"
#include "daemon/manager/options.hpp"
#include "daemon/manager/publisher.hpp"
#include "daemon/manager/renewal.hpp"
#include "daemon/manager/settings_store.hpp"
#include "daemon/manager/systemd_link.hpp"
#include "daemon/manager/timers.hpp"

namespace foster::manager {

/// Everything a manager has once it has taken over; takeover.cpp makes it.
struct Holdings {
  Options options;
  std::string instance;       // its id
  std::string instance_name;  // what --instance would have to say to mean it: for the services
  std::string invocation;     // which run of fosterd
  Instant started;            // of the daemon
  InstanceHome home;
  protocol::HandoverBegin keeper;
  std::shared_ptr<const UnitSet> set;
  std::vector<std::string> templates;
  std::optional<UnitIndex> command;  // the unit of `fosterd -- COMMAND`
  region::Writer writer;
  core::Recovered recovered;
  std::vector<UnitIndex> initial;                      // to be started at the beginning
  std::unordered_map<uint32_t, SlotFacts> remembered;  // by unit, from the former manager's slots
  Enablement enablement;
  SettingsFile settings_file;
  Settings settings;
  KeptTexts texts;
  std::vector<UnitIndex> strays;                  // they run, but no unit file describes them
  std::vector<HandedDescriptor> descriptors;      // what the keeper holds beside foster's own
  std::unordered_map<uint64_t, Errand> attempts;  // of the keeper's children
  UniqueFd control;                               // listening
};

class Manager {
 public:
  /// `keeper` outlives the manager. `inherited` is the daemon's environment.
  Manager(KeeperClient& keeper, Holdings holdings, const char* const* inherited);
  ~Manager();
  Manager(const Manager&) = delete;
  Manager& operator=(const Manager&) = delete;

  /// Serves until everything is stopped, or the keeper is gone. The exit code of the manager
  /// itself.
  Result<int> run();

 private:
  static int keeper_spoke(sd_event_source* source, int fd, uint32_t events, void* self);
  static int deadline_reached(sd_event_source* source, uint64_t now_us, void* self);
  static int more_to_do(sd_event_source* source, void* self);

  Result<void> attach();
  void begin();
  void turn();
  void foretell(const core::Action& action, Now now);
  void perform(const core::Action& action);
  void note(const core::Note& note, Now now);
  void take(const KeeperNews& news);
  void queue(core::Event event) { queue_.push_back(std::move(event)); }
  Result<SpawnExtras> extras(const core::Spawn& spawn);
  void store(UnitIndex unit, const StoreWish& wish, std::vector<UniqueFd> fds);
  std::vector<UnitIndex> decide(Now now, std::vector<core::Action>& actions);
  void publish(std::vector<UnitIndex> changed, uint32_t phase, Now now);
  [[nodiscard]] SlotFacts slot_facts(UnitIndex unit) const;
  void take_signal(int signal);
  void forward_to_command(int signal);
  void begin_timers();
  void change_settings(SettingVerb verb, const std::vector<UnitIndex>& units,
                       const BusShell::Done& done);
  void setting_changed(UnitIndex unit);
  [[nodiscard]] BusShell bus_shell();
  [[nodiscard]] bool strays_are_gone() const;
  void start_afresh();
  void arm();
  void tell_systemd();
  void end_once_saved(Instant now);
  void end(int exit_code);
  void keeper_is_gone();
  [[nodiscard]] uint32_t phase() const;
  /// `fosterd -- COMMAND` ends with its command, also when someone stopped that by fosterctl.
  [[nodiscard]] bool command_was_stopped() const;
  [[nodiscard]] int command_exit_code(int otherwise) const;
  [[nodiscard]] std::optional<Errand> errand(uint64_t attempt) const;
  [[nodiscard]] core::Event event_of(const KeeperNews& news, const Errand& of) const;

  KeeperClient& keeper_;
  Holdings holdings_;
  core::Supervisor core_;
  Publisher publisher_;
  Background background_;
  SettingsStore settings_;
  Timers timers_;
  Renewal renewal_;
  std::vector<core::Event> queue_;
  Descriptors descriptors_;
  Lookout lookout_;
  Executor executor_;
  BusServer bus_;
  SystemdLink systemd_;
  sd_event* loop_ = nullptr;
  sd_event_source* keeper_source_ = nullptr;
  sd_event_source* timer_ = nullptr;
  sd_event_source* again_ = nullptr;
  Instant told_to_stop_;          // by a signal, the last time; {0}: never
  std::vector<int> stops_taken_;  // the signals that said so, until it is published
  /// Everything is stopped; what is being written to the disk may still take its time.
  struct LastWish {
    int exit_code = 0;
    Instant not_later_than;
  };
  std::optional<LastWish> ending_;
  std::optional<int> ended_;
};

}  // namespace foster::manager
