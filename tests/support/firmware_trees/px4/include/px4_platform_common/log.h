/* platforms/common/include/px4_platform_common/log.h */
#pragma once
#define _PX4_LOG_LEVEL_INFO 1
#define _PX4_LOG_LEVEL_WARN 2
#define _PX4_LOG_LEVEL_ERROR 3
__EXPORT void px4_log_modulename(int level, const char *moduleName, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
#define __px4_log_modulename(level, fmt, ...) \
    do { \
        px4_log_modulename(level, MODULE_NAME, fmt, ##__VA_ARGS__); \
    } while (0)
#define PX4_INFO(FMT, ...) __px4_log_modulename(_PX4_LOG_LEVEL_INFO, FMT, ##__VA_ARGS__)
#define PX4_WARN(FMT, ...) __px4_log_modulename(_PX4_LOG_LEVEL_WARN, FMT, ##__VA_ARGS__)
#define PX4_ERR(FMT, ...) __px4_log_modulename(_PX4_LOG_LEVEL_ERROR, FMT, ##__VA_ARGS__)
