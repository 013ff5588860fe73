/**
 * @file snn_bits.h
 * Positions of bits; no part of the interface.
 */
#ifndef SNN_BITS_H
#define SNN_BITS_H

#include "snn.h"

/** Whether the core has no instruction that counts leading zeros (Cortex-M0 and M0+). */
#if defined(__arm__) && !defined(__ARM_FEATURE_CLZ)
#define SNN_NO_CLZ 1
#else
#define SNN_NO_CLZ 0
#endif

/* Zero bits above the highest of `bits`, which are not zero. */
static inline uint32_t snn_above(uint32_t bits)
{
#if SNN_NO_CLZ
    uint32_t count = 0;

    for (; !(bits >> 31); bits <<= 1) {
        count++;
    }
    return count;
#else
    return (uint32_t)__builtin_clz(bits);
#endif
}

/* Position of the lowest of `bits`, which are not zero. */
static inline uint32_t snn_lowest(uint32_t bits)
{
#if SNN_NO_CLZ
    uint32_t position = 0;

    for (; !(bits & 1u); bits >>= 1) {
        position++;
    }
    return position;
#else
    return (uint32_t)__builtin_ctz(bits);
#endif
}

#endif
