// The manager's life: started, started again when it dies, and made way for when it hangs up. One
// that had served for a while is replaced at once; one that dies young is given a growing pause.
// Nobody is served worse meanwhile: services run, and their ends are kept.
#pragma once

#include "daemon/keeper/keeper.hpp"

namespace foster::keeper {

/// Where to look for foster-manager. Once, before the first start.
void find_manager_programs();
void start_manager(Keeper& keeper);
/// Obeys what a packet says, or sees that the manager has hung up.
void manager_readable(Keeper& keeper);
/// It has been reaped.
void manager_ended(Keeper& keeper, int status);
/// The channel does not take what there is to tell, for another reason than being full.
void cannot_tell(Keeper& keeper, int error);
/// Kills it: its successor finds out how things are and asks again for what was lost.
void give_up_manager(const Keeper& keeper, const char* why, int error);
void manager_ready(Keeper& keeper);
/// It is about to end so as to be started afresh.
void manager_goes(Keeper& keeper);

/// A signal of the forwarded ones has come.
void signal_came(Keeper& keeper, int signal);
void signal_taken(Keeper& keeper, int signal);
/// SIGTERM or SIGINT waits, and no manager takes it any more. A manager that hangs is replaced once
/// before that.
[[nodiscard]] bool stop_is_ours(Keeper& keeper);

/// Does what is due; the time of what will be next, or 0.
int64_t act_on_deadlines(Keeper& keeper);

}  // namespace foster::keeper
