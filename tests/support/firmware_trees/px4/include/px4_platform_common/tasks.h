/* platforms/common/include/px4_platform_common/tasks.h, on NuttX */
#pragma once
#include <stdbool.h>
#ifndef CONFIG_RR_INTERVAL
#error "px4_config.h comes first"
#endif
typedef int px4_task_t;
#define SCHED_FIFO 1
#define SCHED_DEFAULT SCHED_FIFO
#define SCHED_PRIORITY_DEFAULT 100
typedef int (*px4_main_t)(int argc, char *argv[]);
__EXPORT px4_task_t px4_task_spawn_cmd(
    const char *name, int scheduler, int priority, int stack_size, px4_main_t entry, char *const argv[]);
