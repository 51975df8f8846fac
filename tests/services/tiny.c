/* tiny [JOURNAL ID]: records its start and sleeps until a signal ends it. The cheapest service
 * there can be, so that what is measured is the supervisor: no C library, seven system calls, then
 * it sleeps. See journal.h for how the last of many wakes the measuring process.
 *
 * Without arguments, the journal is ../../journal and the id the name of the working directory:
 * then it can stand as ./run in a service directory of runit or s6, without a shell or a wrapper in
 * between.
 */
#include <fcntl.h>
#include <linux/time_types.h>
#include <sys/syscall.h>
#include <time.h>

#include "journal.h"

static long call(long number, long a, long b, long c, long d);

#if defined(__x86_64__)
__asm__(
    ".globl _start\n"
    "_start:\n"
    "  xor %ebp, %ebp\n"
    "  mov %rsp, %rdi\n"
    "  and $-16, %rsp\n"
    "  call begin\n");

static long call(long number, long a, long b, long c, long d) {
  long result;
  register long r10 __asm__("r10") = d;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10)
                   : "rcx", "r11", "memory");
  return result;
}
#elif defined(__aarch64__)
__asm__(
    ".globl _start\n"
    "_start:\n"
    "  mov x29, xzr\n"
    "  mov x0, sp\n"
    "  bl begin\n");

static long call(long number, long a, long b, long c, long d) {
  register long x8 __asm__("x8") = number;
  register long x0 __asm__("x0") = a;
  register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c;
  register long x3 __asm__("x3") = d;
  __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3) : "memory");
  return x0;
}
#else
#error "tiny.c needs an entry point and a system call for this architecture"
#endif

#define PATH_SIZE 512

static void copy(char* into, const char* from, unsigned size) {
  unsigned i = 0;
  for (; from[i] && i + 1 < size; i++)
    into[i] = from[i];
  into[i] = 0;
}

static const char* last_part(const char* path) {
  const char* part = path;
  for (const char* c = path; *c; c++) {
    if (*c == '/') part = c + 1;
  }
  return part;
}

static void wake_measuring_process(const char* journal) {
  char path[PATH_SIZE];
  copy(path, journal, PATH_SIZE - 8);
  unsigned end = 0;
  while (path[end])
    end++;
  copy(path + end, ".wake", 6);
  const long fd = call(SYS_openat, AT_FDCWD, (long)path, O_WRONLY | O_NONBLOCK, 0);
  if (fd >= 0) call(SYS_write, fd, (long)"", 1, 0);
}

static void record_start(const char* journal, const char* id) {
  struct __kernel_timespec now;
  struct journal_record record;
  struct journal_record header;
  const long fd =
      call(SYS_openat, AT_FDCWD, (long)journal, O_RDWR | O_APPEND | O_CLOEXEC | O_CREAT, 0666);
  for (unsigned i = 0; i < JOURNAL_ID_SIZE; i++)
    record.id[i] = 0;
  copy(record.id, id, JOURNAL_ID_SIZE);
  record.pid = (int32_t)call(SYS_getpid, 0, 0, 0, 0);
  record.kind = JOURNAL_START;
  record.value = 0;
  record.reserved = 0;
  call(SYS_clock_gettime, CLOCK_BOOTTIME, (long)&now, 0, 0);
  record.boot_ns = now.tv_sec * 1000000000ll + now.tv_nsec;
  if (call(SYS_write, fd, (long)&record, sizeof record, 0) != sizeof record) {
    call(SYS_exit_group, 65, 0, 0, 0);
  }
  /* The descriptor is ours alone, so its offset is where our own record ended. */
  const long end = call(SYS_lseek, fd, 0, 1 /* SEEK_CUR */, 0);
  if (call(SYS_pread64, fd, (long)&header, sizeof header, 0) == sizeof header &&
      header.kind == JOURNAL_HEADER && header.boot_ns == end) {
    wake_measuring_process(journal);
  }
  call(SYS_close, fd, 0, 0, 0);
}

__attribute__((noreturn, used)) void begin(const long* stack) {
  const char* const* argv = (const char* const*)(stack + 1);
  char directory[PATH_SIZE];
  if (stack[0] >= 3) {
    record_start(argv[1], argv[2]);
  } else {
    directory[0] = 0;
    call(SYS_getcwd, (long)directory, sizeof directory, 0, 0);
    record_start("../../journal", last_part(directory));
  }
  for (;;)
    call(SYS_ppoll, 0, 0, 0, 0);
}
