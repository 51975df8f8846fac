// What a unit file says, as a value. A UnitSpec is complete (every key has its value or its
// default) and checked on its own; what needs the other units to be judged is checked in UnitSet.
// Strings are as written: `${NAME}` in `command` is expanded at each start (expansion.hpp).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "common/boxed.hpp"
#include "common/instant.hpp"
#include "common/unit/source_text.hpp"

namespace foster {

/// Longest unit name in bytes. The status region's slot has room for it and a NUL.
inline constexpr size_t kUnitNameMax = 95;

using Argv = std::vector<std::string>;

enum class ServiceType : uint8_t {
  simple,   // up as soon as its program has been executed, or what [ready] says has been seen
  oneshot,  // up when all its commands have exited 0, in order; its state is then `exited`
  notify,   // as simple, but up once it has said READY=1 (sd_notify(3))
  forking,  // its command leaves a daemon behind and exits 0; that daemon is the main process
  group,    // no process: a name for a set of units
};

enum class RestartPolicy : uint8_t {
  always,       // whenever it ends without having been asked to
  on_failure,   // when it ends otherwise than with a success exit code
  on_abnormal,  // when a signal, a timeout or the watchdog ended it
  on_watchdog,  // when the watchdog ended it
  never,
};

/// Whom the stop signal goes to. SIGKILL after the timeout always goes to the whole process group.
enum class SignalScope : uint8_t {
  group,  // every process of the unit's process group
  main,   // the main process alone; the rest of the group gets it once the main process is gone
};

/// The name of another unit, as one unit's file has it, and where: for cycles and the like.
struct Reference {
  std::string name;
  bool optional = false;  // written with a leading '-': no mistake when there is no such unit
  Place place;            // place.file n > 0: in drop_ins[n - 1] of the unit
};

/// [depends]. The semantics stand in daemon/core/unit_state.hpp.
struct DependsSpec {
  std::vector<Reference> requires_units;
  std::vector<Reference> binds_to;
  std::vector<Reference> wants;
  std::vector<Reference> completed;
  std::vector<Reference> after;
  std::vector<Reference> before;
  std::vector<Reference> conflicts;
  std::vector<Reference> part_of;
  std::vector<Reference> required_by;
  std::vector<Reference> wanted_by;
};

/// How a unit shows that it is ready. `none`: what its type says.
enum class ReadyKind : uint8_t {
  none,
  notify,      // READY=1 on $NOTIFY_SOCKET
  descriptor,  // a newline on a descriptor it was given (s6's notification-fd)
  tcp,         // something accepts connections at host:port
  unix_socket,
  http,
  command,  // exits 0
  file,     // appears
  output,   // a line of its output matches a regular expression
};

enum class ReadyTimeout : uint8_t {
  fail,  // the attempt has failed
  run,   // it counts as ready
};

struct ReadySpec {
  ReadyKind kind = ReadyKind::none;
  std::string target;  // tcp: "host:port"; unix_socket, file: a path; http: a URL; output: a regex
  Argv command;
  int descriptor = -1;              // the number at which it finds the descriptor, at least 3
  std::string descriptor_variable;  // or the variable that tells it the number
  uint16_t http_status = 0;         // the status expected; 0: any from 200 to 399
  Duration timeout = std::chrono::seconds(90);         // from the start of the command; 0: none
  Duration interval = std::chrono::milliseconds(500);  // tcp to command: between two tries
  ReadyTimeout on_timeout = ReadyTimeout::fail;
};

enum class HealthKind : uint8_t { none, command, http, tcp, unix_socket };
enum class HealthAction : uint8_t { restart, stop, none };

/// [health]: whether a unit that is up still does its work.
struct HealthSpec {
  HealthKind kind = HealthKind::none;
  std::string target;
  Argv command;
  uint16_t http_status = 0;
  Duration interval = std::chrono::seconds(10);  // from the end of one check to the next
  Duration timeout = std::chrono::seconds(5);    // of one check; then it is killed and has failed
  uint32_t failures = 3;                         // in a row: unhealthy
  uint32_t successes = 1;                        // in a row: healthy
  Duration start_period{0};  // after it came up failures do not count for so long
  HealthAction action = HealthAction::restart;
  Duration watchdog{0};     // at most so long between two WATCHDOG=1; 0: none
  Duration max_runtime{0};  // after a run this long it has failed; 0: none
  uint64_t memory_max = 0;  // bytes, resident, of its process group, looked at each interval;
                            // more of it and `action` follows at once; 0: none
};

enum class HookPoint : uint8_t { pre_start, post_start, pre_stop, stop, post_stop, reload };
inline constexpr size_t kHookPoints = 6;

/// Commands that run one after another; the first that fails ends the hook.
struct HookSpec {
  std::vector<Argv> commands;
  Duration timeout = std::chrono::seconds(30);  // of each command, then SIGKILL to its group
};

struct HooksSpec {
  HookSpec hooks[kHookPoints];
  int reload_signal = 0;                // instead of a reload command
  std::optional<Reference> on_failure;  // a unit that is started when this one has failed for good
};

enum class ConditionKind : uint8_t {
  path_exists,
  path_executable,
  file_not_empty,
  environment,     // NAME or NAME=value, of the daemon's own environment
  command,         // exits 0
  virtualization,  // "container", "vm", "none", or a name such as "docker" or "kvm"
  user,            // name or number of the daemon's own user
};

struct ConditionSpec {
  ConditionKind kind = ConditionKind::path_exists;
  bool negated = false;  // written with a leading '!'
  std::string value;
  Argv command;
};

/// [timer]: when a unit is started by the clock. A unit that runs then is left alone.
struct TimerSpec {
  Duration every{0};                  // from one start to the next; 0: none
  Duration after_boot{0};             // once, so long after the daemon's start; 0: none
  std::vector<std::string> calendar;  // systemd.time(7) calendar events, checked
  Duration jitter{0};                 // each start is put off by up to this, at random
  bool persistent = false;  // a calendar start that fell into a time without foster is made up for
};

enum class LimitAction : uint8_t { fail, stop_all, start_unit };

struct EnvironmentFile {
  std::string path;
  bool optional = false;  // written with a leading '-': a missing file is no error
};

/// What a socket of a unit is.
enum class SocketKind : uint8_t { tcp, udp, unix_stream, unix_dgram, unix_seqpacket, fifo, vsock };

/// [[socket]]: opened by foster, with its own rights, before the service, and kept while the unit
/// is wanted up: over the service's restarts and over foster's own. common/listen opens it.
struct SocketSpec {
  std::string name;    // its FDNAME: descriptor_name_of(unit) where nothing is said
  std::string listen;  // as written, in the form of listen_address.hpp; checked
  SocketKind kind = SocketKind::tcp;
  bool reuse_port = false;
  bool keep_alive = false;
  bool no_delay = false;
  bool transparent = false;       // IP_TRANSPARENT: addresses that are not this machine's
  bool free_bind = false;         // IP_FREEBIND: addresses that this machine has not got yet
  bool ipv6_only = false;         // a v6 address that takes no v4 clients; both otherwise
  bool accept = false;            // of a template: an instance for each connection
  uint32_t backlog = 4096;        // of listen(2); the kernel cuts it at net.core.somaxconn
  uint32_t receive_buffer = 0;    // bytes, SO_RCVBUF; 0: the kernel's own
  uint32_t max_connections = 64;  // with accept, at a time
  uint32_t max_connections_per_source = 0;  // with accept, of one address or user; 0: no limit
  uint32_t mode = 0666;                     // of a unix socket's or fifo's file
  std::optional<std::string> user;          // the file's owner; unset: the daemon's own
  std::optional<std::string> group;
  std::string device;  // SO_BINDTODEVICE; empty: any
  Place place;         // of `listen`, for messages
};

/// When a unit that is wanted up is started.
enum class StartOn : uint8_t {
  immediately,
  first_connection,  // until one of its sockets has something for it, it is `listening`
};

/// What becomes of the descriptors that a service has stored, and that were passed to it.
enum class StorePreserve : uint8_t {
  never,    // dropped when its process has ended
  restart,  // dropped when the unit comes to rest and is not wanted up
  always,   // kept until they are dropped, or the unit is removed
};

/// What a unit is given of descriptors, and does with them.
struct DescriptorsSpec {
  std::vector<SocketSpec> sockets;  // passed in this order, from number 3 on
  StartOn start_on = StartOn::immediately;
  bool of_connection = false;    // an instance that is started for a connection of its template's
  bool takes_inherited = false;  // of the command that the daemon was given: it gets all that the
                                 // daemon was given in $LISTEN_FDS
  bool receive_live = false;     // has a $FOSTER_RECEIVE_FD, on which what is passed comes at once
  StorePreserve store_preserve = StorePreserve::restart;
  bool stores = false;          // says something of the store, and so has a $NOTIFY_SOCKET
  uint32_t store_max = 64;      // descriptors by FDSTORE=1, at a time; 0: none are taken
  uint32_t trigger_limit = 20;  // more starts by a connection than this within trigger_interval:
                                // failed; 0: no limit
  Duration trigger_interval = std::chrono::seconds(2);
};

/// Whose messages on $NOTIFY_SOCKET count.
enum class NotifyAccess : uint8_t {
  main,  // the main process
  exec,  // the main process and those of hooks and checks
  all,   // every process of the unit
};

struct RestartSpec {
  RestartPolicy policy = RestartPolicy::on_failure;
  Duration delay = std::chrono::milliseconds(200);  // before the first restart
  double factor = 2.0;                              // 1 to 100; each restart in a row waits longer
  Duration max_delay = std::chrono::seconds(30);
  double jitter = 0.0;  // 0 to 1: the delay is varied by up to this share of it, both ways
  Duration reset_after = std::chrono::minutes(1);  // a run this long makes the delay start afresh
  uint32_t limit = 10;  // more automatic restarts than this within limit_interval: failed; 0 = none
  Duration limit_interval = std::chrono::seconds(10);
  LimitAction limit_action = LimitAction::fail;
  Boxed<Reference> limit_unit;          // of start_unit
  std::vector<int> prevent_exit_codes;  // no restart after these, whatever the policy; ascending
  std::vector<int> force_exit_codes;    // a restart after these, whatever the policy; ascending
  bool overlap = false;  // a requested restart starts the new process beside the old one
};

struct StopSpec {
  int signal = 15;                              // SIGTERM
  Duration timeout = std::chrono::seconds(10);  // then SIGKILL
  SignalScope scope = SignalScope::group;
};

struct UnitSpec {
  std::string name;  // the file's name without ".toml"
  std::string file;  // the path it was read from; empty for the unit made by `fosterd -- COMMAND`
  std::vector<std::string> drop_ins;  // the further files it was made of, in their order
  std::string description;            // one line, may be empty
  bool enabled = true;                // started with the daemon
  bool restart_dependents = true;     // a requested restart takes those that require it along
  bool essential = false;  // when it is gone for good, all is stopped and its code becomes foster's

  ServiceType type = ServiceType::simple;
  Argv command;  // empty for a group; command[0] a path, or a name looked up in PATH
  std::vector<Argv> more_commands;  // of a oneshot, run in order after `command`
  bool remain_after_exit = false;   // a oneshot that is done can be stopped, and is not run again
                                    // by a start until then
  std::string pid_file;  // of a forking unit: where it writes its main process's number; or empty
  NotifyAccess notify_access = NotifyAccess::main;
  bool keep_output = false;                      // the last of its output is kept, for `why`
  std::optional<std::string> user;               // name or number; unset: the daemon's own
  std::optional<std::string> group;              // name or number; unset: the user's first group
  std::optional<std::string> working_directory;  // absolute; unset: "/"
  std::optional<uint32_t> umask;                 // 0 to 0777; unset: 022
  std::vector<std::pair<std::string, std::string>> environment;
  std::vector<EnvironmentFile> environment_files;
  std::vector<std::string> pass_environment;  // fnmatch patterns of the daemon's own variables
  std::vector<int> success_exit_codes{0};     // each 0 to 255, ascending, 0 always among them
  bool foreground = false;  // not a key: `fosterd -- COMMAND` keeps the daemon's stdin and terminal
                            // and working directory

  RestartSpec restart;
  StopSpec stop;

  // Absent where the file says nothing of them.
  Boxed<DependsSpec> depends;
  Boxed<ReadySpec> ready;
  Boxed<HealthSpec> health;
  Boxed<HooksSpec> hooks;
  Boxed<TimerSpec> timer;
  Boxed<DescriptorsSpec> descriptors;
  std::vector<ConditionSpec> conditions;
};

/// Whether and how long a start may take until the unit is up; 0: as long as it likes.
[[nodiscard]] Duration start_timeout(const UnitSpec& spec);

/// Whether readiness is asked for at an address, where another process may answer.
[[nodiscard]] bool asked_at_an_address(ReadyKind kind);

/// Whether the unit gets a $NOTIFY_SOCKET.
[[nodiscard]] bool uses_notify(const UnitSpec& spec);

/// Those of [[socket]]; none where there are no descriptors.
[[nodiscard]] std::span<const SocketSpec> sockets_of(const UnitSpec& spec);

/// Whether the unit waits for a connection before it is started.
[[nodiscard]] bool starts_on_connection(const UnitSpec& spec);

/// Whether foster accepts connections for the unit, which has no process of its own: it is
/// listening as long as it is up (connection_units.hpp).
[[nodiscard]] bool accepts_connections(const UnitSpec& spec);

/// Whether the unit is an instance that is started for such a connection.
[[nodiscard]] bool serves_connections(const UnitSpec& spec);

/// Null where there is no such hook.
[[nodiscard]] const HookSpec* hook_of(const UnitSpec& spec, HookPoint point);

}  // namespace foster
