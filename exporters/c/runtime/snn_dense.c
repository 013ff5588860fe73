/**
 * @file snn_dense.c
 * Dense products of pixels and weights, in plain C.
 */
#include "snn_dense.h"

#if !SNN_DSP
void snn_products(const int8_t *weights, const snn_tap *window, uint32_t pairs, const uint8_t *rounding,
                  snn_sums *current)
{
    uint32_t k, i;

    for (k = 0; k < SNN_PAIRS; k++, rounding += 2, weights += 4) {
        const int8_t *weight = weights;
        const snn_tap *tap = window;
        int32_t low = snn_half(rounding[0]);
        int32_t high = snn_half(rounding[1]);

        for (i = 0; i < pairs; i++, tap += 2, weight += 2u * SNN_BLOCK) {
            const int32_t first = tap[0];
            const int32_t second = tap[1];

            low += weight[0] * first + weight[2] * second;
            high += weight[1] * first + weight[3] * second;
        }
        current->pair[k] = snn_pair_of((uint32_t)(low >> rounding[0]), (uint32_t)(high >> rounding[1]));
    }
}
#endif
