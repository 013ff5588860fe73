/**
 * @file snn_dense.h
 * What the kernels of a layer that sees pixels share; no part of the interface.
 */
#ifndef SNN_DENSE_H
#define SNN_DENSE_H

#include "snn_pairs.h"

/* A pixel of a window. */
typedef uint16_t __attribute__((may_alias)) snn_tap;

/* Half of 2^rounding, which rounds half up what is then shifted. */
static inline int32_t snn_half(uint32_t rounding)
{
    return (int32_t)((1u << rounding) >> 1);
}

/*
 * Currents of a block: sums of weight * pixel over 2 * `pairs` taps, rounded half up. Word j of the weights of two taps
 * has those of channels j and j + 8, of the first tap in bytes 0 and 1 and of the second in bytes 2 and 3.
 */
void snn_products(const int8_t *weights, const snn_tap *window, uint32_t pairs, const uint8_t *rounding,
                  snn_sums *current);

#endif
