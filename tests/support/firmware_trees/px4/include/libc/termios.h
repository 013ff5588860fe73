/* NuttX's termios.h */
#pragma once
#include <stdint.h>
#define CSIZE (3u << 0)
#define CS8 (3u << 0)
#define CSTOPB (1u << 2)
#define PARENB (1u << 4)
#define CRTSCTS (3u << 10)
#define B115200 115200u
#define TCSANOW 0
typedef uint32_t tcflag_t;
typedef uint32_t speed_t;
struct termios {
    tcflag_t c_iflag, c_oflag, c_cflag, c_lflag;
    uint8_t c_cc[12];
    speed_t c_speed;
};
int tcgetattr(int fd, struct termios *settings);
int tcsetattr(int fd, int options, const struct termios *settings);
int cfsetspeed(struct termios *settings, speed_t speed);
