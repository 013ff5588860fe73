/* The part of PX4 that a module calls, and a shell that starts it, asks it and stops it. */
#include <px4_platform_common/px4_config.h>

#include <drivers/drv_hrt.h>
#include <px4_platform_common/log.h>
#include <px4_platform_common/tasks.h>
#include <px4_platform_common/time.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "../../console.h"

void stand_in_main(void);
int COMMAND_MAIN(int argc, char *argv[]);

static px4_main_t task;
static uint64_t now;

static void words(const char *word, const char *more)
{
    char *argv[] = {(char *)COMMAND, (char *)word, (char *)more, NULL};

    stand_in_print("$ %s %s\n", word, more ? more : "");
    stand_in_print("= %d\n", COMMAND_MAIN(more ? 3 : 2, argv));
}

static void shell(const char *word)
{
    words(word, NULL);
}

void stand_in_main(void)
{
    shell("nonsense");
    shell("selftest");
    shell("start");
    if (task) {
        (void)task(0, NULL);
    }
    shell("status");
    words("console", "/dev/ttyS9");
    (void)task(0, NULL);
    words("console", "/dev/ttyS2");
    (void)task(0, NULL);
    stand_in_done();
}

/* The task has nothing to do: the shell's turn. */
int stand_in_usleep(unsigned useconds)
{
    now += useconds;
    shell("selftest");
    shell("start");
    shell("stop");
    return 0;
}

px4_task_t px4_task_spawn_cmd(
    const char *name, int scheduler, int priority, int stack_size, px4_main_t entry, char *const argv[])
{
    stand_in_print("task %s: priority %d, stack %d\n", name, priority, stack_size);
    task = entry;
    return 7;
}

hrt_abstime hrt_absolute_time(void)
{
    return now += 7u;
}

void px4_log_modulename(int level, const char *moduleName, const char *fmt, ...)
{
    static const char *const names[] = {"DEBUG", "INFO", "WARN", "ERROR"};
    va_list values;

    stand_in_print("%s [%s] ", names[level], moduleName);
    va_start(values, fmt);
    stand_in_vprint(fmt, values);
    va_end(values);
    stand_in_print("\n");
}

int open(const char *path, int flags, ...)
{
    return flags == (O_RDWR | O_NOCTTY) && strcmp(path, "/dev/ttyS2") == 0 ? 3 : -1;
}

int close(int fd)
{
    return fd == 3 ? 0 : -1;
}

int tcgetattr(int fd, struct termios *settings)
{
    memset(settings, 0xff, sizeof(*settings));
    return fd == 3 ? 0 : -1;
}

int tcsetattr(int fd, int options, const struct termios *settings)
{
    stand_in_print("port %d at %u, flags %u %u %u %u\n", fd, (unsigned)settings->c_speed, (unsigned)settings->c_iflag,
                   (unsigned)settings->c_oflag, (unsigned)settings->c_lflag,
                   (unsigned)(settings->c_cflag & (CSIZE | CSTOPB | PARENB | CRTSCTS)));
    return options == TCSANOW ? 0 : -1;
}

int cfsetspeed(struct termios *settings, speed_t speed)
{
    settings->c_speed = speed;
    return 0;
}

static int next = -1;

/* The shell's turn again when nothing more was sent. */
int poll(struct pollfd *fds, unsigned nfds, int timeout)
{
    next = nfds == 1 && fds->fd == 3 && fds->events == POLLIN && timeout > 0 ? stand_in_get() : -1;
    if (next < 0) {
        shell("start");
        shell("stop");
    }
    return next >= 0;
}

ssize_t read(int fd, void *bytes, size_t count)
{
    uint8_t *to = bytes;
    size_t found = 0;

    for (; fd == 3 && next >= 0 && found < count; next = found < count ? stand_in_get() : -1) {
        to[found++] = (uint8_t)next;
    }
    return (ssize_t)found;
}

ssize_t write(int fd, const void *bytes, size_t count)
{
    const uint8_t *from = bytes;
    size_t k;

    for (k = 0; fd == 3 && k < count; k++) {
        stand_in_put(from[k]);
    }
    return (ssize_t)k;
}
