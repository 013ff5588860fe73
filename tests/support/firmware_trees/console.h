/* A console in RAM, which the test reads, and where the stand-in firmware ends. */
#ifndef STAND_IN_CONSOLE_H
#define STAND_IN_CONSOLE_H

#include <stdarg.h>

void stand_in_vprint(const char *format, va_list values);
void stand_in_print(const char *format, ...);
void stand_in_done(void);

/* A serial port: the next byte that the test has sent, or -1; and a byte to the test. */
int stand_in_get(void);
void stand_in_put(unsigned char byte);

#endif
