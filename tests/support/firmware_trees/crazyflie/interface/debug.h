/* src/utils/interface/debug.h, as it prints over radio or USB */
#include "console.h"
#ifdef DEBUG_MODULE
#define DEBUG_FMT(fmt) DEBUG_MODULE ": " fmt
#endif
#ifndef DEBUG_FMT
#define DEBUG_FMT(fmt) fmt
#endif
#define DEBUG_PRINT(fmt, ...) consolePrintf(DEBUG_FMT(fmt), ##__VA_ARGS__)
