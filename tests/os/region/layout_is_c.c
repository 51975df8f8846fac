/* layout.h as a C11 program sees it. The numbers are the ABI: readers in other languages have them
 * in their own text, so one that changes here means a new FOSTER_REGION_VERSION. */
#include "common/region/layout.h"

#include <stddef.h>

#define AT(type, field, offset) \
  _Static_assert(offsetof(struct type, field) == (offset), #type "." #field " has moved")
#define SIZE(type, size) _Static_assert(sizeof(struct type) == (size), #type " has another size")

SIZE(foster_region_header, 352);
AT(foster_region_header, magic, 0);
AT(foster_region_header, version, 8);
AT(foster_region_header, header_size, 12);
AT(foster_region_header, slot_size, 16);
AT(foster_region_header, slot_capacity, 20);
AT(foster_region_header, slot_count, 24);
AT(foster_region_header, event_size, 28);
AT(foster_region_header, ring_capacity, 32);
AT(foster_region_header, layout_generation, 36);
AT(foster_region_header, ring_offset, 40);
AT(foster_region_header, slots_offset, 48);
AT(foster_region_header, total_size, 56);
AT(foster_region_header, semaphore_id, 64);
AT(foster_region_header, generation, 68);
AT(foster_region_header, retired, 72);
AT(foster_region_header, phase, 76);
AT(foster_region_header, ring_head, 80);
AT(foster_region_header, manager_pid, 88);
AT(foster_region_header, keeper_pid, 92);
AT(foster_region_header, manager_start_ticks, 96);
AT(foster_region_header, keeper_start_ticks, 104);
AT(foster_region_header, manager_restarts, 112);
AT(foster_region_header, exit_code, 116);
AT(foster_region_header, manager_started_boot_ns, 120);
AT(foster_region_header, daemon_started_boot_ns, 128);
AT(foster_region_header, daemon_started_real_ns, 136);
AT(foster_region_header, turn_started_boot_ns, 144);
AT(foster_region_header, last_attempt, 152);
AT(foster_region_header, last_job, 160);
AT(foster_region_header, edges_offset, 168);
AT(foster_region_header, edge_count, 176);
AT(foster_region_header, edge_size, 180);
AT(foster_region_header, boot_id, 184);
AT(foster_region_header, instance, 224);
AT(foster_region_header, version_text, 320);

SIZE(foster_slot_body, 544);
AT(foster_slot_body, state, 0);
AT(foster_slot_body, goal, 1);
AT(foster_slot_body, type, 2);
AT(foster_slot_body, cause, 3);
AT(foster_slot_body, exit_kind, 4);
AT(foster_slot_body, step, 5);
AT(foster_slot_body, health, 6);
AT(foster_slot_body, enablement, 7);
AT(foster_slot_body, flags, 8);
AT(foster_slot_body, blocker, 12);
AT(foster_slot_body, pid, 16);
AT(foster_slot_body, exit_value, 20);
AT(foster_slot_body, restarts, 24);
AT(foster_slot_body, failures, 28);
AT(foster_slot_body, window_count, 32);
AT(foster_slot_body, check_failures, 36);
AT(foster_slot_body, check_successes, 40);
AT(foster_slot_body, service_errno, 44);
AT(foster_slot_body, command_index, 48);
AT(foster_slot_body, hook_index, 50);
AT(foster_slot_body, hook_role, 52);
AT(foster_slot_body, check_role, 53);
AT(foster_slot_body, check_index, 54);
AT(foster_slot_body, claimed_pid, 56);
AT(foster_slot_body, hook_pid, 60);
AT(foster_slot_body, check_pid, 64);
AT(foster_slot_body, successor_pid, 68);
AT(foster_slot_body, former_pid, 72);
AT(foster_slot_body, trigger_count, 76);
AT(foster_slot_body, socket_count, 80);
AT(foster_slot_body, held_count, 82);
AT(foster_slot_body, reserved, 84);
AT(foster_slot_body, socket_ports, 88);
AT(foster_slot_body, window_start_boot_ns, 96);
AT(foster_slot_body, trigger_start_boot_ns, 104);
AT(foster_slot_body, successor_deadline_boot_ns, 112);
AT(foster_slot_body, former_deadline_boot_ns, 120);
AT(foster_slot_body, successor_attempt, 128);
AT(foster_slot_body, former_attempt, 136);
AT(foster_slot_body, attempt, 144);
AT(foster_slot_body, exit_attempt, 152);
AT(foster_slot_body, exits, 160);
AT(foster_slot_body, since_boot_ns, 168);
AT(foster_slot_body, since_real_ns, 176);
AT(foster_slot_body, started_boot_ns, 184);
AT(foster_slot_body, running_boot_ns, 192);
AT(foster_slot_body, exit_boot_ns, 200);
AT(foster_slot_body, exit_real_ns, 208);
AT(foster_slot_body, deadline_boot_ns, 216);
AT(foster_slot_body, start_deadline_boot_ns, 224);
AT(foster_slot_body, watchdog_deadline_boot_ns, 232);
AT(foster_slot_body, runtime_deadline_boot_ns, 240);
AT(foster_slot_body, check_next_boot_ns, 248);
AT(foster_slot_body, hook_deadline_boot_ns, 256);
AT(foster_slot_body, check_deadline_boot_ns, 264);
AT(foster_slot_body, watchdog_ns, 272);
AT(foster_slot_body, timer_next_real_ns, 280);
AT(foster_slot_body, hook_attempt, 288);
AT(foster_slot_body, check_attempt, 296);
AT(foster_slot_body, exit_user_us, 304);
AT(foster_slot_body, exit_system_us, 312);
AT(foster_slot_body, exit_max_rss_kib, 320);
AT(foster_slot_body, job, 328);
AT(foster_slot_body, job_results, 336);
AT(foster_slot_body, status_text, 368);
AT(foster_slot_body, detail, 456);

SIZE(foster_slot, 1192);
AT(foster_slot, sequence, 0);
AT(foster_slot, current, 4);
AT(foster_slot, name, 8);
AT(foster_slot, body, 104);

SIZE(foster_edge, 12);
AT(foster_edge, from, 0);
AT(foster_edge, to, 4);
AT(foster_edge, kind, 8);

SIZE(foster_event, 232);
AT(foster_event, sequence, 0);
AT(foster_event, boot_ns, 8);
AT(foster_event, real_ns, 16);
AT(foster_event, attempt, 24);
AT(foster_event, pid, 32);
AT(foster_event, value, 36);
AT(foster_event, kind, 40);
AT(foster_event, state, 41);
AT(foster_event, cause, 42);
AT(foster_event, exit_kind, 43);
AT(foster_event, reserved, 44);
AT(foster_event, name, 48);
AT(foster_event, text, 144);
