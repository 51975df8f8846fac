// Names and numbers of foster's D-Bus interface, for the manager's vtable and for its clients.
//
// One object, one interface, on the private socket <runtime dir>/control (peer-to-peer, no bus
// daemon):
//   Start, Stop, Restart, Reload, Reset (as patterns) -> a(st): the units meant, each with the
//   number of its job
//   Enable, Disable, Mask, Unmask (as patterns) -> as: the units meant. Kept over restarts
//   Scale (s template, u instances) -> (): instances template@1 to template@n are there afterwards;
//   kept over restarts
//   Load () -> (): reads the unit files again; with a mistake, kErrorBadUnits with all diagnostics,
//   and nothing changes. Otherwise the manager starts itself afresh with the new set
//   Signal (as patterns, i signal)     -> as: the units signalled
//   Overlap (as patterns)              -> a(st): as Restart, the new process beside the old one
//   Pass (s unit, s name, h descriptor) -> b live: the unit has it, or will have it at its next
//   start. The same again, after a lost answer, is held once
//   Descriptors (s unit)               -> a(sssxs): origin ("socket", "passed", "stored",
//   "inherited"), name, what it is ("tcp 127.0.0.1:80, listening"), since (CLOCK_REALTIME, ns),
//   from whom ("uid 0"; empty: foster itself). For everyone
//   Drop (s unit, s name)              -> u: how many were dropped
//   Take (s unit, s name)              -> h: the first of that name; foster keeps it, too
//   HandUp (s unit, s name)            -> u: how many sockets of the unit's own of that name went
//   to the store of the supervisor above (FDSTORE=1); foster keeps them, too
//   Shutdown ()                        -> i: the keeper's pid, so that the caller can wait for its
//   end
//   Version ()                         -> s: for everyone
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
inline constexpr char kOverlap[] = "Overlap";
inline constexpr char kPass[] = "Pass";
inline constexpr char kDescriptors[] = "Descriptors";
inline constexpr char kDrop[] = "Drop";
inline constexpr char kTake[] = "Take";
inline constexpr char kHandUp[] = "HandUp";
inline constexpr char kReload[] = "Reload";
inline constexpr char kReset[] = "Reset";
inline constexpr char kEnable[] = "Enable";
inline constexpr char kDisable[] = "Disable";
inline constexpr char kMask[] = "Mask";
inline constexpr char kUnmask[] = "Unmask";
inline constexpr char kScale[] = "Scale";
inline constexpr char kLoad[] = "Load";
inline constexpr char kSignal[] = "Signal";
inline constexpr char kShutdown[] = "Shutdown";
inline constexpr char kVersion[] = "Version";

inline constexpr char kErrorNoSuchUnit[] = "org.foster1.Error.NoSuchUnit";
inline constexpr char kErrorNotPermitted[] = "org.freedesktop.DBus.Error.AccessDenied";
inline constexpr char kErrorShuttingDown[] = "org.foster1.Error.ShuttingDown";
inline constexpr char kErrorNotRunning[] = "org.foster1.Error.NotRunning";
inline constexpr char kErrorMasked[] = "org.foster1.Error.Masked";
inline constexpr char kErrorCannotReload[] = "org.foster1.Error.CannotReload";
inline constexpr char kErrorCannotOverlap[] = "org.foster1.Error.CannotOverlap";
inline constexpr char kErrorNoSuchDescriptor[] = "org.foster1.Error.NoSuchDescriptor";
inline constexpr char kErrorTooMany[] = "org.foster1.Error.TooManyDescriptors";
inline constexpr char kErrorBadUnits[] = "org.foster1.Error.BadUnits";
inline constexpr char kErrorInvalid[] = "org.freedesktop.DBus.Error.InvalidArgs";

}  // namespace foster::bus_api
