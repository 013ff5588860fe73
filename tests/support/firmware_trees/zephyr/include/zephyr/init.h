/* include/zephyr/init.h */
#pragma once
enum { APPLICATION };
#define SYS_INIT(init_fn, level, prio) \
    static int (*const init_fn##_entry)(void) = init_fn; \
    __attribute__((constructor)) static void init_fn##_##level(void) \
    { \
        (void)(prio + level); \
        (void)init_fn##_entry(); \
    } \
    extern int init_fn##_declared
