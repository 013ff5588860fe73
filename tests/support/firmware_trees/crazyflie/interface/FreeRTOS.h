/* FreeRTOS, and what src/config/FreeRTOSConfig.h adds. */
#pragma once
#include <stdint.h>
typedef uint32_t TickType_t;
#define configTICK_RATE_HZ ((TickType_t)1000)
#define portTICK_PERIOD_MS ((TickType_t)1000 / configTICK_RATE_HZ)
#define M2T(X) ((unsigned int)(X))
