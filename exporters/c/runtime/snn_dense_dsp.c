/**
 * @file snn_dense_dsp.c
 * Dense products of pixels and weights with the DSP instructions: two taps of a channel an instruction.
 */
#include "snn_dense.h"

#if SNN_DSP

/* Packed pairs whose sums fit in registers at once. */
#define TOGETHER 4u

/* Two weights, times two pixels, are added to each of two sums. */
static inline void multiply(uint32_t weights, uint32_t pixels, int32_t *low, int32_t *high)
{
    uint32_t unpacked;

    __asm__("sxtb16 %[unpacked], %[weights]\n\t"
            "smlad %[low], %[unpacked], %[pixels], %[low]\n\t"
            "sxtb16 %[unpacked], %[weights], ror #8\n\t"
            "smlad %[high], %[unpacked], %[pixels], %[high]"
            : [low] "+r"(*low), [high] "+r"(*high), [unpacked] "=&r"(unpacked)
            : [weights] "r"(weights), [pixels] "r"(pixels));
}

static inline uint32_t rounded(int32_t low, int32_t high, const uint8_t *rounding)
{
    return snn_pair_of((uint32_t)(low >> rounding[0]), (uint32_t)(high >> rounding[1]));
}

void snn_products(const int8_t *weights, const snn_tap *window, uint32_t pairs, const uint8_t *rounding,
                  snn_sums *current)
{
    const snn_pair *word = (const snn_pair *)(const void *)weights;
    uint32_t k;

    for (k = 0; k < SNN_PAIRS; k += TOGETHER, rounding += 2u * TOGETHER, word += TOGETHER) {
        const snn_pair *four = word;
        const snn_pair *pixels = (const snn_pair *)(const void *)window;
        const snn_pair *end = pixels + pairs;
        int32_t low0 = snn_half(rounding[0]), high0 = snn_half(rounding[1]);
        int32_t low1 = snn_half(rounding[2]), high1 = snn_half(rounding[3]);
        int32_t low2 = snn_half(rounding[4]), high2 = snn_half(rounding[5]);
        int32_t low3 = snn_half(rounding[6]), high3 = snn_half(rounding[7]);

        for (; pixels != end; pixels++, four += SNN_PAIRS) {
            multiply(four[0], *pixels, &low0, &high0);
            multiply(four[1], *pixels, &low1, &high1);
            multiply(four[2], *pixels, &low2, &high2);
            multiply(four[3], *pixels, &low3, &high3);
        }
        current->pair[k] = rounded(low0, high0, rounding);
        current->pair[k + 1u] = rounded(low1, high1, rounding + 2);
        current->pair[k + 2u] = rounded(low2, high2, rounding + 4);
        current->pair[k + 3u] = rounded(low3, high3, rounding + 6);
    }
}

#endif
