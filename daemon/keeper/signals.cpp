#include "daemon/keeper/signals.hpp"

#include <cerrno>
#include <csignal>
#include <sys/signalfd.h>
#include <unistd.h>

namespace foster::keeper {
namespace {

constexpr int kForwarded[kForwardedSignals] = {SIGTERM, SIGINT,  SIGHUP,   SIGQUIT,
                                               SIGUSR1, SIGUSR2, SIGWINCH, SIGPWR};
// Raised by the program's own fault, or by job control: left as they are.
constexpr int kUnblocked[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS, SIGTSTP};

void set_disposition(int signal, void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  // SIGCHLD is about ends alone: a child that is stopped and continued wakes nobody.
  action.sa_flags = SA_NOCLDSTOP;
  sigaction(signal, &action, nullptr);
}

void unblock_all() {
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

}  // namespace

int forwarded_signal(int i) {
  return kForwarded[i];
}

bool asks_to_stop(int signal) {
  return signal == SIGTERM || signal == SIGINT;
}

int open_signals() {
  // Whatever the parent ignored is not to be inherited; a SIGCHLD ignored would reap behind our
  // back.
  for (int signal = 1; signal < NSIG; ++signal)
    set_disposition(signal, SIG_DFL);
  set_disposition(SIGPIPE, SIG_IGN);
  set_disposition(SIGTTIN, SIG_IGN);
  set_disposition(SIGTTOU, SIG_IGN);
  sigset_t blocked;
  sigfillset(&blocked);
  for (const int signal : kUnblocked)
    sigdelset(&blocked, signal);
  sigprocmask(SIG_SETMASK, &blocked, nullptr);
  sigset_t read;
  sigemptyset(&read);
  sigaddset(&read, SIGCHLD);
  for (const int signal : kForwarded)
    sigaddset(&read, signal);
  return signalfd(-1, &read, SFD_CLOEXEC | SFD_NONBLOCK);
}

void reset_signals_for_child() {
  // All others are at their defaults in the keeper.
  set_disposition(SIGPIPE, SIG_DFL);
  set_disposition(SIGTTIN, SIG_DFL);
  set_disposition(SIGTTOU, SIG_DFL);
  unblock_all();
}

void reset_signals_for_manager() {
  set_disposition(SIGPIPE, SIG_DFL);
  unblock_all();
}

int take_terminal(pid_t group) {
  // A process of the background that does this would be stopped by SIGTTOU, were that not blocked.
  sigset_t terminal_output;
  sigset_t before;
  sigemptyset(&terminal_output);
  sigaddset(&terminal_output, SIGTTOU);
  sigprocmask(SIG_BLOCK, &terminal_output, &before);
  const int error = tcsetpgrp(STDIN_FILENO, group) == 0 ? 0 : errno;
  sigprocmask(SIG_SETMASK, &before, nullptr);
  // No terminal, or not the one that controls this session: nothing to take.
  return error == ENOTTY || error == ENXIO || error == EBADF ? 0 : error;
}

}  // namespace foster::keeper
