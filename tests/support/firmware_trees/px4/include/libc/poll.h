/* NuttX's poll.h */
#pragma once
#include <stdint.h>
#define POLLIN 1
struct pollfd {
    int fd;
    uint32_t events;
    uint32_t revents;
};
int poll(struct pollfd *fds, unsigned nfds, int timeout);
