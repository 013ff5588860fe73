/* NuttX's fcntl.h */
#pragma once
#define O_RDWR 3
#define O_NOCTTY 0
int open(const char *path, int flags, ...);
