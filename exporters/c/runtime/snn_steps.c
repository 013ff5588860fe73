/**
 * @file snn_steps.c
 * What a stream keeps from one time step to the next.
 */
#include "snn.h"

/* A word of what is kept. */
typedef uint32_t __attribute__((may_alias)) word;

int snn_take_step(uint8_t *kept, uint32_t most)
{
    word *taken = (word *)(void *)kept;

    if (*taken >= most) {
        return 0;
    }
    (*taken)++;
    return 1;
}

void snn_forget(uint8_t *kept, uint32_t bytes)
{
    word *first = (word *)(void *)kept;
    uint32_t i;

    for (i = 0; i < bytes / sizeof(word); i++) {
        first[i] = 0;
    }
}
