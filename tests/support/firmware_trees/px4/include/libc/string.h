/* NuttX's string.h */
#pragma once
#include <stddef.h>
char *strcpy(char *to, const char *from);
size_t strlen(const char *text);
int strcmp(const char *a, const char *b);
void *memset(void *to, int value, size_t size);
void *memcpy(void *to, const void *from, size_t size);
