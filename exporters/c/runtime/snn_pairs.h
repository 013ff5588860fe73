/**
 * @file snn_pairs.h
 * Arithmetic on packed pairs of int16, modulo 2^16 in each half; no part of the interface.
 */
#ifndef SNN_PAIRS_H
#define SNN_PAIRS_H

#include "snn.h"

/** Whether the core has the DSP instructions (Cortex-M4, M7, M33, M55); its kernels are those of snn_*_dsp.c. */
#if defined(__ARM_FEATURE_DSP) && defined(__thumb2__)
#define SNN_DSP 1
#else
#define SNN_DSP 0
#endif

/** Whether rows are added in assembly for Cortex-M3 (snn_rows_m3.c), or for M0, M0+ and M23 (snn_rows_m0.c). */
#if defined(__ARM_ARCH_7M__)
#define SNN_THUMB2 1
#else
#define SNN_THUMB2 0
#endif
#if defined(__ARM_ARCH_6M__) || defined(__ARM_ARCH_8M_BASE__)
#define SNN_THUMB1 1
#else
#define SNN_THUMB1 0
#endif

/* One, in each half. */
#define SNN_ONES 0x00010001u

/*
 * The sign bit of each half. A pair with these flipped, as a number, has 2^15 more in each half, and neither is
 * negative: sums and differences of such numbers are right modulo 2^32 while their halves come and go, and the
 * result is a pair again wherever both halves fit in int16.
 */
#define SNN_SIGNS 0x80008000u

/* Sums of the 16 channels of a block. */
typedef struct {
    uint32_t pair[SNN_PAIRS];
    uint32_t count; /* of the rows that were added, where their codes have an offset */
} snn_sums;

static inline uint32_t snn_pair_of(uint32_t low, uint32_t high)
{
    return (low & 0xFFFFu) | high << 16;
}

static inline uint32_t snn_add(uint32_t one, uint32_t other)
{
#if SNN_DSP
    uint32_t sum;

    __asm__("sadd16 %0, %1, %2" : "=r"(sum) : "r"(one), "r"(other));
    return sum;
#else
    /* The top bits of both halves are added without their carries. */
    return ((one & ~SNN_SIGNS) + (other & ~SNN_SIGNS)) ^ ((one ^ other) & SNN_SIGNS);
#endif
}

/* The pairs of a block in an array of int16. */
static inline const snn_pair *snn_pairs_of(const int16_t *channels, uint32_t block)
{
    return (const snn_pair *)(const void *)(channels + block * SNN_BLOCK);
}

/**
 * Time step t of a block's 16 neurons: leak, add `current` and the bias to their potentials, fire, and reset.
 * In time step 0, what `potential` holds is not read.
 * @return a bit for each neuron that fired
 */
uint32_t snn_fire(const snn_neurons *neurons, uint32_t block, uint32_t t, snn_pair *potential,
                  const snn_sums *current);

#endif
