/* The part of Arduino's language reference that a sketch uses here. */
#pragma once
#include <stdint.h>
#include <stdio.h>

unsigned long millis();
unsigned long micros();
void delay(unsigned long ms);
void setup();
void loop();

class HardwareSerial {
public:
    void begin(unsigned long baud);
    explicit operator bool() const { return true; }
    int available() { return peek() >= 0; }
    int peek();
    int read();
    size_t write(uint8_t byte) { return (size_t)printf("%c", byte); }
    size_t print(const char *text) { return (size_t)printf("%s", text); }
    size_t print(char character) { return (size_t)printf("%c", character); }
    size_t print(long value) { return (size_t)printf("%ld", value); }
    size_t print(int value) { return (size_t)printf("%d", value); }
    size_t print(unsigned long value) { return (size_t)printf("%lu", value); }
    size_t println(const char *text) { return (size_t)printf("%s\r\n", text); }
};
extern HardwareSerial Serial;
