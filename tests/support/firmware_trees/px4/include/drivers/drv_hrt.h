/* src/drivers/drv_hrt.h */
#pragma once
#include <stdint.h>
typedef uint64_t hrt_abstime;
__EXPORT extern hrt_abstime hrt_absolute_time(void);
