/**
 * @file snn_spike.h
 * What the kernels of layers that see spikes share; no part of the interface.
 *
 * snn_spike.c lists the events of each position and runs the neurons; one of the files snn_spike_*.c, a file for each
 * width of weights, adds the weights of the neurons that fired. Only the widths that a network has are linked.
 */
#ifndef SNN_SPIKE_H
#define SNN_SPIKE_H

#include "snn.h"

/* Sums of four channels modulo 2^32: of whole words of four bytes, and of their odd bytes apart. */
typedef struct {
    uint32_t all;
    uint32_t odd;
} snn_four_sums;

/* The odd bytes of a word, once they are shifted down: each has 16 bits of room. */
#define SNN_ODD_BYTES 0x00FF00FFu

/* One, for each channel of a packed pair. */
#define SNN_PAIR 0x00010001u

/* A word of packed weights. */
typedef const uint32_t __attribute__((may_alias)) snn_weight_word;

/* Add the weights of the neurons that fired, events `event` to `end`, to the currents of a block. */
typedef void (*snn_accumulate)(const snn_spike_node *node, uint32_t block, const snn_event *event,
                               const snn_event *end, int32_t *current);

/* Run all time steps of a layer; `accumulate` may be null if the layer has no weights. */
void snn_layer(const snn_spike_node *node, uint8_t *arena, snn_accumulate accumulate);

/* Add packed pairs of int16, `even` of channels 0 and 2 and `odd` of 1 and 3, to the currents of four channels; what
   comes out fits in int16, whatever went in. */
void snn_add_pairs(uint32_t even, uint32_t odd, int32_t *current);

/* Position of the lowest of `bits`, which are not zero. */
static inline uint32_t snn_lowest(uint32_t bits)
{
#if defined(__arm__) && !defined(__ARM_FEATURE_CLZ)
    uint32_t position = 0;

    for (; !(bits & 1u); bits >>= 1) {
        position++;
    }
    return position;
#else
    return (uint32_t)__builtin_ctz(bits);
#endif
}

/* Add four unsigned bytes to the sums of their channels. */
static inline void snn_add_bytes(snn_four_sums *sums, uint32_t bytes)
{
    sums->all += bytes;
    sums->odd += (bytes >> 8) & SNN_ODD_BYTES;
}

/* The sums of channels 0 and 2 as a packed pair. */
static inline uint32_t snn_even(snn_four_sums sums)
{
    return sums.all - (sums.odd << 8);
}

#endif
