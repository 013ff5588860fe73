/* src/hal/interface/usec_time.h */
#pragma once
#include <stdint.h>
uint64_t usecTimestamp(void);
