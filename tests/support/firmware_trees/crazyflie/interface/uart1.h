/* src/drivers/interface/uart1.h */
#pragma once
#include <stdbool.h>
#include <stdint.h>
void uart1Init(const uint32_t baudrate);
bool uart1GetDataWithTimeout(uint8_t *c, const uint32_t timeoutTicks);
int uart1Putchar(int ch);
