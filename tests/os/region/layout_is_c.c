/* layout.h as a C11 program sees it. The numbers are the ABI: readers in other languages have them
 * in their own text, so one that changes here means a new FOSTER_REGION_VERSION. */
#include "common/region/layout.h"

#include <stddef.h>

#define AT(type, field, offset) \
  _Static_assert(offsetof(struct type, field) == (offset), #type "." #field " has moved")
#define SIZE(type, size) _Static_assert(sizeof(struct type) == (size), #type " has another size")

SIZE(foster_region_header, 336);
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
AT(foster_region_header, boot_id, 168);
AT(foster_region_header, instance, 208);
AT(foster_region_header, version_text, 304);

SIZE(foster_slot_body, 360);
AT(foster_slot_body, state, 0);
AT(foster_slot_body, goal, 1);
AT(foster_slot_body, type, 2);
AT(foster_slot_body, cause, 3);
AT(foster_slot_body, exit_kind, 4);
AT(foster_slot_body, killed, 5);
AT(foster_slot_body, essential, 6);
AT(foster_slot_body, exit_clean, 7);
AT(foster_slot_body, pid, 8);
AT(foster_slot_body, exit_value, 12);
AT(foster_slot_body, restarts, 16);
AT(foster_slot_body, failures, 20);
AT(foster_slot_body, window_count, 24);
AT(foster_slot_body, reserved, 28);
AT(foster_slot_body, window_start_boot_ns, 32);
AT(foster_slot_body, attempt, 40);
AT(foster_slot_body, exit_attempt, 48);
AT(foster_slot_body, exits, 56);
AT(foster_slot_body, since_boot_ns, 64);
AT(foster_slot_body, since_real_ns, 72);
AT(foster_slot_body, started_boot_ns, 80);
AT(foster_slot_body, running_boot_ns, 88);
AT(foster_slot_body, exit_boot_ns, 96);
AT(foster_slot_body, exit_real_ns, 104);
AT(foster_slot_body, deadline_boot_ns, 112);
AT(foster_slot_body, exit_user_us, 120);
AT(foster_slot_body, exit_system_us, 128);
AT(foster_slot_body, exit_max_rss_kib, 136);
AT(foster_slot_body, job, 144);
AT(foster_slot_body, job_results, 152);
AT(foster_slot_body, status_text, 184);
AT(foster_slot_body, detail, 272);

SIZE(foster_slot, 824);
AT(foster_slot, sequence, 0);
AT(foster_slot, current, 4);
AT(foster_slot, name, 8);
AT(foster_slot, body, 104);

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
