/* Knows %s, %d and %u, as the smallest printf of a flight firmware does, and %.NNs with PRECISION. */
#include "console.h"

#include <stddef.h>
#include <stdint.h>

char stand_in_text[4096];
static uint32_t length;

__attribute__((section(".noinit"))) uint8_t stand_in_received[8192];
__attribute__((section(".noinit"))) uint32_t stand_in_received_bytes;
uint8_t stand_in_sent[8192];
uint32_t stand_in_sent_bytes;

int stand_in_get(void)
{
    static uint32_t next;

    return next < stand_in_received_bytes ? stand_in_received[next++] : -1;
}

void stand_in_put(unsigned char byte)
{
    if (stand_in_sent_bytes < sizeof(stand_in_sent)) {
        stand_in_sent[stand_in_sent_bytes++] = byte;
    }
}

static void put(char character)
{
    if (length < sizeof(stand_in_text) - 1u) {
        stand_in_text[length++] = character;
    }
}

static void number(uint32_t value)
{
    if (value > 9u) {
        number(value / 10u);
    }
    put((char)('0' + value % 10u));
}

void stand_in_vprint(const char *format, va_list values)
{
    for (; *format; format++) {
        uint32_t most = UINT32_MAX;

        if (*format != '%') {
            put(*format);
            continue;
        }
        format++;
#ifdef PRECISION
        if (*format == '.') {
            for (most = 0, format++; *format >= '0' && *format <= '9'; format++) {
                most = most * 10u + (uint32_t)(*format - '0');
            }
        }
#endif
        if (*format == 's') {
            const char *text = va_arg(values, const char *);

            for (; *text && most; text++, most--) {
                put(*text);
            }
        } else if (*format == 'u') {
            number(va_arg(values, unsigned));
        } else if (*format == 'd') {
            const int value = va_arg(values, int);

            if (value < 0) {
                put('-');
            }
            number(value < 0 ? 0u - (uint32_t)value : (uint32_t)value);
        } else {
            stand_in_print("<this console does not know a format>");
        }
    }
}

void stand_in_print(const char *format, ...)
{
    va_list values;

    va_start(values, format);
    stand_in_vprint(format, values);
    va_end(values);
}

__attribute__((noinline)) void stand_in_done(void)
{
    __asm__ volatile("" ::: "memory");
}

/* What the C library of the real firmware has. */
void *memset(void *to, int value, size_t size)
{
    for (uint8_t *at = to; size--; at++) {
        *at = (uint8_t)value;
    }
    return to;
}

void *memcpy(void *to, const void *from, size_t size)
{
    const uint8_t *source = from;

    for (uint8_t *at = to; size--; at++) {
        *at = *source++;
    }
    return to;
}

size_t strlen(const char *text)
{
    size_t length_of = 0;

    while (text[length_of]) {
        length_of++;
    }
    return length_of;
}

char *strcpy(char *to, const char *from)
{
    char *at = to;

    while ((*at++ = *from++)) {
    }
    return to;
}

int strcmp(const char *a, const char *b)
{
    for (; *a && *a == *b; a++, b++) {
    }
    return (unsigned char)*a - (unsigned char)*b;
}
