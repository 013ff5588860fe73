// What the core of a board does with a sketch, until it waits.
#include "Arduino.h"

#include <stdlib.h>

HardwareSerial Serial;
static unsigned long now;

void HardwareSerial::begin(unsigned long baud)
{
    now += baud;
}

int HardwareSerial::peek()
{
    const int byte = getchar();

    return byte == EOF ? -1 : ungetc(byte, stdin);
}

int HardwareSerial::read()
{
    return available() ? getchar() : -1;
}

unsigned long millis()
{
    return now++;
}

unsigned long micros()
{
    return now += 7;
}

void delay(unsigned long ms)
{
    now += ms;
    exit(0);
}

int main()
{
    setup();
    for (;;) {
        loop();
    }
}
