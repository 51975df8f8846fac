// Names and numbers of foster's D-Bus interface, for the manager's vtable and for its clients.
//
// One object, one interface, on the private socket <runtime dir>/control (peer-to-peer, no bus
// daemon):
//   Start, Stop, Restart (as patterns) -> a(st): the units meant, each with the number of its job
//   Signal (as patterns, i signal)     -> as: the units signalled
//   Shutdown ()                        -> i: the keeper's pid, so that the caller can wait for its
//   end Version ()                         -> s
// Replies come once the request is recorded in the status region; clients wait for jobs by watching
// the region, so that a waiting client costs the manager nothing and outlives the manager's crash.
#pragma once

namespace foster::bus_api {

inline constexpr char kControlSocket[] = "control";  // within the runtime directory
inline constexpr char kObjectPath[] = "/org/foster1";
inline constexpr char kInterface[] = "org.foster1.Manager";

inline constexpr char kStart[] = "Start";
inline constexpr char kStop[] = "Stop";
inline constexpr char kRestart[] = "Restart";
inline constexpr char kSignal[] = "Signal";
inline constexpr char kShutdown[] = "Shutdown";
inline constexpr char kVersion[] = "Version";

inline constexpr char kErrorNoSuchUnit[] = "org.foster1.Error.NoSuchUnit";
inline constexpr char kErrorNotPermitted[] = "org.freedesktop.DBus.Error.AccessDenied";
inline constexpr char kErrorShuttingDown[] = "org.foster1.Error.ShuttingDown";
inline constexpr char kErrorNotRunning[] = "org.foster1.Error.NotRunning";
inline constexpr char kErrorInvalid[] = "org.freedesktop.DBus.Error.InvalidArgs";

}  // namespace foster::bus_api
