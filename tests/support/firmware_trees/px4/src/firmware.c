/* The part of PX4 that a module calls, and a shell that starts it, asks it and stops it. */
#include <drivers/drv_hrt.h>
#include <px4_platform_common/log.h>
#include <px4_platform_common/tasks.h>
#include <px4_platform_common/time.h>
#include <stddef.h>

#include "../../console.h"

void stand_in_main(void);
int COMMAND_MAIN(int argc, char *argv[]);

static px4_main_t task;
static uint64_t now;

static void shell(const char *word)
{
    char *argv[] = {(char *)COMMAND, (char *)word, NULL};

    stand_in_print("$ %s\n", word);
    stand_in_print("= %d\n", COMMAND_MAIN(2, argv));
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
