/**
 * @file snn_packed.c
 * What the kernels of layers with packed weights, of 4 and of 2 bits, have in common.
 */
#include "snn_packed.h"

#define CHANNELS 4u

void snn_add_codes(uint32_t even, uint32_t odd, const uint8_t *shift, int32_t *current)
{
    int32_t scaled[CHANNELS];
    uint32_t c;

    /* The sum may leave int16, shifted or not, but (sum * 2^shift + current) >> shift does not. */
    for (c = 0; c < CHANNELS; c++) {
        scaled[c] = current[c] >> shift[c];
    }
    snn_add_pairs(even, odd, scaled);
    for (c = 0; c < CHANNELS; c++) {
        current[c] += (scaled[c] - (current[c] >> shift[c])) * (1 << shift[c]);
    }
}
