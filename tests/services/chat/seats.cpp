#include "tests/services/chat/seats.hpp"

#include <cstdio>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

namespace chat {

Seat* map_seats() {
  char name[32];
  snprintf(name, sizeof name, "/chat.%d", int(getpid()));
  const int fd = shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
  if (fd < 0) return nullptr;
  // Who needs the memory is forked from here and needs no name for it. Without one it is gone with
  // the last process, whatever that dies of.
  shm_unlink(name);
  void* seats = MAP_FAILED;
  if (ftruncate(fd, kSeats * sizeof(Seat)) == 0)
    seats = mmap(nullptr, kSeats * sizeof(Seat), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close(fd);
  return seats == MAP_FAILED ? nullptr : static_cast<Seat*>(seats);
}

}  // namespace chat
