// What each verb does, one file per verb (verb_*.cpp).
#pragma once

#include "ctl/arguments.hpp"
#include "ctl/exit_code.hpp"
#include "ctl/session.hpp"

namespace foster::ctl {

ExitCode run_status(Session& session, const Arguments& arguments);
ExitCode run_list(Session& session, const Arguments& arguments);
ExitCode run_start(Session& session, const Arguments& arguments);
ExitCode run_stop(Session& session, const Arguments& arguments);
ExitCode run_restart(Session& session, const Arguments& arguments);
ExitCode run_reload(Session& session, const Arguments& arguments);
ExitCode run_reset(Session& session, const Arguments& arguments);
ExitCode run_enable(Session& session, const Arguments& arguments);
ExitCode run_disable(Session& session, const Arguments& arguments);
ExitCode run_mask(Session& session, const Arguments& arguments);
ExitCode run_unmask(Session& session, const Arguments& arguments);
ExitCode run_scale(Session& session, const Arguments& arguments);
ExitCode run_load(Session& session, const Arguments& arguments);
ExitCode run_why(Session& session, const Arguments& arguments);
ExitCode run_graph(Session& session, const Arguments& arguments);
ExitCode run_tree(Session& session, const Arguments& arguments);
ExitCode run_cat(Session& session, const Arguments& arguments);
ExitCode run_timers(Session& session, const Arguments& arguments);
ExitCode run_pass(Session& session, const Arguments& arguments);
ExitCode run_fds(Session& session, const Arguments& arguments);
ExitCode run_drop(Session& session, const Arguments& arguments);
ExitCode run_hand_up(Session& session, const Arguments& arguments);
ExitCode run_take(Session& session, const Arguments& arguments);
ExitCode run_signal(Session& session, const Arguments& arguments);
ExitCode run_wait(Session& session, const Arguments& arguments);
ExitCode run_watch(Session& session, const Arguments& arguments);
ExitCode run_events(Session& session, const Arguments& arguments);
ExitCode run_check(Session& session, const Arguments& arguments);
ExitCode run_shutdown(Session& session, const Arguments& arguments);
ExitCode run_version(Session& session, const Arguments& arguments);

}  // namespace foster::ctl
