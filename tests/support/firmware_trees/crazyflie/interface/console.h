/* src/modules/interface/console.h */
#pragma once
void stand_in_print(const char *format, ...);
#define consolePrintf(FMT, ...) stand_in_print(FMT, ##__VA_ARGS__)
