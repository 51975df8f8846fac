/* The status region: foster's state as any program may read it, by mmap alone.
 *
 * A POSIX shared memory object "/foster.<instance>" (shm_open(3); on Linux the file
 * /dev/shm/foster.<instance>), written by foster's manager only, readable by everyone:
 *
 *     header page | ring of events (the flight recorder) | slots, one per unit, sorted by name |
 *     edges between the units
 *
 * All offsets stand in the header. All numbers are little-endian on every machine foster runs on,
 * all strings are NUL-terminated UTF-8. Times named *_boot_ns are nanoseconds of CLOCK_BOOTTIME,
 * times named *_real_ns are nanoseconds since 1970; 0 means "never".
 *
 * How to read a slot without a torn copy (a seqlock with two bodies):
 *   1. read `sequence`; if it is odd, a write is under way: wait on the guard, go to 1;
 *   2. read `current`, copy body[current], then (acquire fence) read `sequence` again;
 *   3. if it changed, go to 1.
 * The guard is a System V semaphore (id in `semaphore_id`): 0 at rest, 1 while the manager writes.
 * Readers only ever wait for zero (semop(2), sem_op = 0), which needs read permission alone and
 * cannot hold the writer up. The writer holds it with SEM_UNDO: if it dies while it writes, the
 * kernel releases the guard. `sequence` odd with the guard at rest therefore means: the writer died
 * there. body[current] is then still the last whole state, since a writer only ever fills the other
 * body and turns `current` round at the end; the next manager makes the sequence even again.
 *
 * How to wait for a change: read `generation`, look, and futex(2) FUTEX_WAIT (not private) on it; a
 * read-only mapping will do. It grows with each publish. The layout of an object never changes:
 * when units come or go, a new object with a higher `layout_generation` takes over the name in a
 * single step, and `retired` becomes 1 in the old one, which keeps its last content. So when
 * `retired` is not 0, wait for the guard to be at rest and open the name again. If it still leads
 * to the same object, the manager died before the exchange, and this object is the one to go on
 * with.
 *
 * The version grows with any change that an old reader would misread. Reserved bytes are 0.
 */
#ifndef FOSTER_REGION_LAYOUT_H
#define FOSTER_REGION_LAYOUT_H

#include <stdint.h>

#define FOSTER_REGION_MAGIC 0x314e4f4947455246ull /* "FREGION1" in memory order */
#define FOSTER_REGION_VERSION 3u
#define FOSTER_REGION_HEADER_SIZE 4096u
#define FOSTER_NAME_SIZE 96u /* longest unit name 95 bytes and a NUL */
#define FOSTER_TEXT_SIZE 88u
#define FOSTER_JOB_RESULTS 4u
#define FOSTER_PORTS 4u

/* What a unit is doing. */
enum foster_state {
  FOSTER_STATE_STOPPED = 0,  /* never started, or stopped because someone asked */
  FOSTER_STATE_STARTING = 1, /* the keeper was asked to start it; not known to execute yet */
  FOSTER_STATE_RUNNING = 2,
  FOSTER_STATE_STOPPING = 3, /* signalled, or others of its group outlive its main process */
  FOSTER_STATE_BACKOFF = 4,  /* ended; will be started again at deadline_boot_ns */
  FOSTER_STATE_EXITED = 5,   /* ended by itself with success and will not be started again */
  FOSTER_STATE_FAILED = 6,   /* ended otherwise and will not be started again; `cause` says why */
  FOSTER_STATE_WAITING = 7,  /* wanted up, held back by `blocker` */
  FOSTER_STATE_SKIPPED = 8,  /* a condition was not met: see detail */
  FOSTER_STATE_LISTENING = 9 /* its sockets are open; it is started when something comes to one */
};

/* What a unit is at within its state. */
enum foster_step {
  FOSTER_STEP_NONE = 0,
  FOSTER_STEP_CONDITIONS = 1, /* STARTING, in this order */
  FOSTER_STEP_PRE_START = 2,
  FOSTER_STEP_COMMAND = 3,   /* also while the commands of a oneshot run */
  FOSTER_STEP_FIND_MAIN = 4, /* a forking unit's daemon is looked for */
  FOSTER_STEP_READY = 5,     /* its readiness is waited for */
  FOSTER_STEP_POST_START = 6,
  FOSTER_STEP_RELOAD = 7,     /* RUNNING */
  FOSTER_STEP_DEPENDENTS = 8, /* STOPPING, in this order: others stop first */
  FOSTER_STEP_PRE_STOP = 9,
  FOSTER_STEP_STOP_COMMAND = 10,
  FOSTER_STEP_SIGNAL = 11, /* signalled; whatever still lives is waited for */
  FOSTER_STEP_POST_STOP = 12,
  FOSTER_STEP_OVERLAP = 13 /* RUNNING: another process takes the place of the main one */
};

enum foster_health {
  FOSTER_HEALTH_NONE = 0, /* no checks, or not up */
  FOSTER_HEALTH_STARTING = 1,
  FOSTER_HEALTH_HEALTHY = 2,
  FOSTER_HEALTH_UNHEALTHY = 3
};

/* Whether the unit starts with the daemon. */
enum foster_enablement {
  FOSTER_ENABLED = 0,
  FOSTER_DISABLED_BY_FILE = 1,   /* enabled = false */
  FOSTER_DISABLED = 2,           /* by fosterctl disable */
  FOSTER_MASKED = 3,             /* by fosterctl mask: it may not be started at all */
  FOSTER_ENABLED_BY_REQUEST = 4, /* by fosterctl enable, whatever the file says */
  FOSTER_NOT_CHOSEN = 5,         /* fosterd --start named others */
  FOSTER_GONE = 6                /* no unit file describes it any more: it is only stopped */
};

/* How one unit depends on another; the words are those of the unit files. */
enum foster_edge_kind {
  FOSTER_EDGE_REQUIRES = 0,
  FOSTER_EDGE_BINDS_TO = 1,
  FOSTER_EDGE_WANTS = 2,
  FOSTER_EDGE_COMPLETED = 3,
  FOSTER_EDGE_AFTER = 4,
  FOSTER_EDGE_CONFLICTS = 5, /* there once for each side */
  FOSTER_EDGE_PART_OF = 6
};

/* What a process of a unit is for. */
enum foster_role {
  FOSTER_ROLE_MAIN = 0,
  FOSTER_ROLE_CONDITION = 1,
  FOSTER_ROLE_PRE_START = 2,
  FOSTER_ROLE_POST_START = 3,
  FOSTER_ROLE_PRE_STOP = 4,
  FOSTER_ROLE_STOP = 5,
  FOSTER_ROLE_POST_STOP = 6,
  FOSTER_ROLE_RELOAD = 7,
  FOSTER_ROLE_READY_CHECK = 8,
  FOSTER_ROLE_HEALTH_CHECK = 9,
  FOSTER_ROLE_SUCCESSOR = 10 /* the main command again, beside the main process */
};

enum foster_goal { FOSTER_GOAL_DOWN = 0, FOSTER_GOAL_UP = 1 };

enum foster_type {
  FOSTER_TYPE_SIMPLE = 0,
  FOSTER_TYPE_ONESHOT = 1,
  FOSTER_TYPE_NOTIFY = 2,
  FOSTER_TYPE_FORKING = 3,
  FOSTER_TYPE_GROUP = 4 /* no process: a name for a set of units */
};

/* Why a unit is in its state. */
enum foster_cause {
  FOSTER_CAUSE_NONE = 0,
  FOSTER_CAUSE_BOOT = 1,         /* started because the daemon started */
  FOSTER_CAUSE_REQUEST = 2,      /* someone asked by fosterctl or the bus */
  FOSTER_CAUSE_EXIT = 3,         /* its main process ended: see exit_kind and exit_value */
  FOSTER_CAUSE_SPAWN_FAILED = 4, /* it could not be executed: see detail */
  FOSTER_CAUSE_RATE_LIMITED = 5, /* more automatic restarts than its limit allows */
  FOSTER_CAUSE_SHUTDOWN = 6,     /* the daemon is stopping */
  FOSTER_CAUSE_STOP_TIMEOUT = 7, /* did not end on its stop signal in time and was killed */
  FOSTER_CAUSE_DEPENDENCY = 8,   /* of `blocker`, which it depends on */
  FOSTER_CAUSE_CONFLICT = 9,     /* `blocker`, which it conflicts with, was started */
  FOSTER_CAUSE_CONDITION = 10,
  FOSTER_CAUSE_START_TIMEOUT = 11, /* was not ready in time */
  FOSTER_CAUSE_HOOK = 12,          /* a hook failed: see detail */
  FOSTER_CAUSE_HEALTH = 13,        /* its checks failed, or it used too much memory: see detail */
  FOSTER_CAUSE_WATCHDOG = 14,
  FOSTER_CAUSE_MAX_RUNTIME = 15,
  FOSTER_CAUSE_TIMER = 16,      /* started by its timer */
  FOSTER_CAUSE_ON_FAILURE = 17, /* started because `blocker` has failed */
  FOSTER_CAUSE_MASKED = 18,
  FOSTER_CAUSE_CONNECTION = 19 /* something came to one of its sockets */
};

enum foster_exit_kind {
  FOSTER_EXIT_NONE = 0,
  FOSTER_EXIT_CODE = 1,   /* exit_value is the exit code */
  FOSTER_EXIT_SIGNAL = 2, /* exit_value is the signal's number */
  FOSTER_EXIT_CORE = 3,   /* as above, and a core was dumped */
  FOSTER_EXIT_SPAWN = 4   /* never ran; exit_value is the errno, detail has the sentence */
};

/* How a job ended; packed with its number: number << 8 | result. */
enum foster_job_result {
  FOSTER_JOB_NONE = 0,
  FOSTER_JOB_DONE = 1,
  FOSTER_JOB_FAILED = 2,
  FOSTER_JOB_SUPERSEDED = 3 /* a later request for the same unit took its place */
};

enum foster_phase {
  FOSTER_PHASE_STARTING = 0, /* the units of the start are not all up or failed yet */
  FOSTER_PHASE_RUNNING = 1,
  FOSTER_PHASE_STOPPING = 2,
  FOSTER_PHASE_DOWN = 3 /* ended in order; the object is about to be unlinked */
};

enum foster_event_kind {
  FOSTER_EVENT_STATE = 1,    /* a unit changed its state */
  FOSTER_EVENT_EXIT = 2,     /* a main process was reaped: exit_kind, value */
  FOSTER_EVENT_SIGNAL = 3,   /* a signal was sent to a unit on request or to stop it: value */
  FOSTER_EVENT_REQUEST = 4,  /* someone asked: text has the verb */
  FOSTER_EVENT_MANAGER = 5,  /* the manager started: value 0 = first, else how often again */
  FOSTER_EVENT_SHUTDOWN = 6, /* the daemon began to stop; value = exit code */
  FOSTER_EVENT_HOOK = 7,     /* a hook began or ended: text */
  FOSTER_EVENT_HEALTH = 8,   /* a unit's health changed: text */
  FOSTER_EVENT_READY = 9     /* a unit was seen ready, or is reloading: text */
};

/* foster_slot_body.flags */
#define FOSTER_FLAG_KILLED 1u /* SIGKILL was sent in the stop that is under way */
#define FOSTER_FLAG_ESSENTIAL 2u
#define FOSTER_FLAG_READY 4u       /* the newest attempt has been seen ready */
#define FOSTER_FLAG_WAS_UP 8u      /* the newest attempt has been up */
#define FOSTER_FLAG_EXIT_CLEAN 16u /* the last exit was a success by the unit's own rules */
#define FOSTER_FLAG_HOOK_KILLED 32u
#define FOSTER_FLAG_CHECK_KILLED 64u
#define FOSTER_FLAG_SUCCESSOR_KILLED 128u
#define FOSTER_FLAG_FORMER_KILLED 256u
#define FOSTER_FLAG_SUCCESSOR_READY 512u

struct foster_region_header {
  uint64_t magic;
  uint32_t version;
  uint32_t header_size; /* of this struct's page, FOSTER_REGION_HEADER_SIZE */
  uint32_t slot_size;
  uint32_t slot_capacity; /* slots that fit into the object */
  uint32_t slot_count;    /* slots in use, from the first */
  uint32_t event_size;
  uint32_t ring_capacity;     /* events */
  uint32_t layout_generation; /* grows from each object to the one that takes its place */
  uint64_t ring_offset;
  uint64_t slots_offset;
  uint64_t total_size;

  int32_t semaphore_id;
  uint32_t generation; /* the futex word; grows with each publish */
  uint32_t retired;    /* not 0: this object is replaced by another of the same name, or by none */
  uint32_t phase;      /* enum foster_phase */
  uint64_t ring_head;  /* sequence number of the next event; events before it are in the ring */

  int32_t manager_pid;
  int32_t keeper_pid;
  uint64_t manager_start_ticks; /* field 22 of /proc/<pid>/stat: tells a reused pid */
  uint64_t keeper_start_ticks;
  uint32_t manager_restarts; /* how often the keeper had to start it again */
  int32_t exit_code;         /* the daemon's, once phase is STOPPING or DOWN */
  int64_t manager_started_boot_ns;
  int64_t daemon_started_boot_ns;
  int64_t daemon_started_real_ns;
  int64_t turn_started_boot_ns; /* 0 while the manager sleeps; long ago: it hangs */
  uint64_t last_attempt;        /* the highest numbers given out so far */
  uint64_t last_job;
  uint64_t edges_offset; /* struct foster_edge, by (from, to, kind); they change with the object */
  uint32_t edge_count;
  uint32_t edge_size;
  char boot_id[40]; /* /proc/sys/kernel/random/boot_id, without the newline */
  char instance[FOSTER_NAME_SIZE];
  char version_text[32]; /* foster's version */
};

/* Everything about a unit that changes. */
struct foster_slot_body {
  uint8_t state;      /* enum foster_state */
  uint8_t goal;       /* enum foster_goal */
  uint8_t type;       /* enum foster_type */
  uint8_t cause;      /* enum foster_cause */
  uint8_t exit_kind;  /* enum foster_exit_kind, of the last attempt that ended */
  uint8_t step;       /* enum foster_step */
  uint8_t health;     /* enum foster_health */
  uint8_t enablement; /* enum foster_enablement */
  uint32_t flags;     /* FOSTER_FLAG_* */
  uint32_t blocker;   /* one more than the slot that holds this unit back, or by which it stopped,
                         failed or started; 0: none. See `cause` and WAITING */
  int32_t pid;        /* of the main process; 0 when there is none */
  int32_t exit_value;
  uint32_t restarts;       /* automatic restarts since the daemon started */
  uint32_t failures;       /* restarts in a row, by which the delay grows */
  uint32_t window_count;   /* restarts in the window of the rate limit */
  uint32_t check_failures; /* of readiness or health checks, in a row */
  uint32_t check_successes;
  int32_t service_errno;  /* ERRNO= it has said */
  uint16_t command_index; /* which of the commands of a oneshot is the newest attempt */
  uint16_t hook_index;    /* which command of the hook */
  uint8_t hook_role;      /* of the hook that runs: enum foster_role */
  uint8_t check_role;     /* of the check that runs */
  uint16_t check_index;
  int32_t claimed_pid; /* MAINPID it has said, not its main process yet */
  int32_t hook_pid;
  int32_t check_pid;
  int32_t successor_pid;
  int32_t former_pid;
  uint32_t trigger_count; /* starts by a connection in the window of their limit */
  uint16_t socket_count;  /* [[socket]] of the unit that are open */
  uint16_t held_count;    /* other descriptors that are kept for it: stored, passed */
  uint32_t reserved;
  uint16_t socket_ports[FOSTER_PORTS]; /* of its first sockets, as bound; 0: closed, or none */
  int64_t window_start_boot_ns;
  int64_t trigger_start_boot_ns;
  int64_t successor_deadline_boot_ns; /* given up then */
  int64_t former_deadline_boot_ns;    /* next SIGKILL to it */
  uint64_t successor_attempt;         /* beside the main process, on its way up; 0 = none */
  uint64_t former_attempt; /* the main process before this one, on its way down; 0 = none */
  uint64_t attempt;        /* the newest, alive or not; 0 = never started */
  uint64_t exit_attempt;   /* the last that ended; exits up to this number have been counted */
  uint64_t exits;          /* main processes reaped, each counted once */
  int64_t since_boot_ns;   /* when it entered its state */
  int64_t since_real_ns;
  int64_t started_boot_ns; /* the spawn of the newest attempt was asked for */
  int64_t running_boot_ns; /* the newest attempt was known to execute */
  int64_t exit_boot_ns;
  int64_t exit_real_ns;
  int64_t deadline_boot_ns;       /* BACKOFF: next restart; STOPPING: next SIGKILL; else 0 */
  int64_t start_deadline_boot_ns; /* to be up by then, 0 = none */
  int64_t watchdog_deadline_boot_ns;
  int64_t runtime_deadline_boot_ns;
  int64_t check_next_boot_ns;
  int64_t hook_deadline_boot_ns;
  int64_t check_deadline_boot_ns;
  int64_t watchdog_ns;        /* in force, 0 = none */
  int64_t timer_next_real_ns; /* the unit's timer will start it then, 0 = no timer */
  uint64_t hook_attempt;      /* of the hook that runs, 0 = none */
  uint64_t check_attempt;     /* of the check that runs, 0 = none */
  uint64_t exit_user_us; /* processor time of the last attempt that ended, its children included */
  uint64_t exit_system_us;
  uint64_t exit_max_rss_kib;
  uint64_t job; /* the job under way, 0 = none: number << 8 | 1 start, 2 stop, 3 restart,
                   4 reload, 5 reset, 6 overlap */
  uint64_t job_results[FOSTER_JOB_RESULTS]; /* the latest ended jobs, newest first */
  char status_text[FOSTER_TEXT_SIZE];       /* what the service says of itself */
  char detail[FOSTER_TEXT_SIZE];            /* a sentence to `cause`, may be empty */
};

struct foster_slot {
  uint32_t sequence;           /* odd while written */
  uint32_t current;            /* which body is whole: 0 or 1 */
  char name[FOSTER_NAME_SIZE]; /* never changes within an object */
  struct foster_slot_body body[2];
};

/* `from` depends on `to`: slots by index. Whole from the moment an object has its name: to be read
 * without regard to the writer. */
struct foster_edge {
  uint32_t from;
  uint32_t to;
  uint32_t kind; /* enum foster_edge_kind */
};

struct foster_event {
  uint64_t sequence; /* from 1; 0 while written; number n stands at place n % ring_capacity */
  int64_t boot_ns;
  int64_t real_ns;
  uint64_t attempt;
  int32_t pid;
  int32_t value;
  uint8_t kind;  /* enum foster_event_kind */
  uint8_t state; /* enum foster_state after it */
  uint8_t cause; /* enum foster_cause */
  uint8_t exit_kind;
  uint32_t reserved;
  char name[FOSTER_NAME_SIZE]; /* the unit's; empty for the daemon itself */
  char text[FOSTER_TEXT_SIZE];
};

#endif
