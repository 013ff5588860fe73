/* NuttX's unistd.h */
#pragma once
#include <stddef.h>
typedef int ssize_t;
ssize_t read(int fd, void *bytes, size_t count);
ssize_t write(int fd, const void *bytes, size_t count);
int close(int fd);
