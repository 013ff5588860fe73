/**
 * @file snn_neurons.c
 * Leaky integrate-and-fire neurons with an immediate reset, in plain C.
 */
#include "snn_pairs.h"

/* What C leaves to the compiler and the kernels rely on. */
SNN_ASSERT(shift_is_floor, (-3 >> 1) == -2 && (INT32_MIN >> 31) == -1);
SNN_ASSERT(narrowing_wraps, (int16_t)0xFFFFu == -1 && (int32_t)0xFFFFFFFFu == -1);
#ifdef __BYTE_ORDER__
SNN_ASSERT(little_endian, __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);
#endif

/* The sizes that the toolchain's cost model counts; the pointers of a 64-bit host are wider. */
#if UINTPTR_MAX == 0xFFFFFFFFu
SNN_ASSERT(pixel_node, sizeof(snn_pixel_node) == 44);
SNN_ASSERT(spike_node, sizeof(snn_spike_node) == 48);
SNN_ASSERT(packed_node, sizeof(snn_packed_node) == 52);
SNN_ASSERT(edge, sizeof(snn_edge) == 16);
SNN_ASSERT(or_pool_node, sizeof(snn_or_pool_node) == 20);
SNN_ASSERT(head_node, sizeof(snn_head_node) == 36);
SNN_ASSERT(packed_head_node, sizeof(snn_packed_head_node) == 40);
SNN_ASSERT(info, sizeof(snn_info) == 60);
#endif

#if !SNN_DSP

/*
 * Two neurons at once, as numbers whose halves are 2^15 more than potentials. What is left of such a number shifted
 * right by s, in each half, is the shifted potential and 2^(15 - s) more. `mask`: what is left of the bits of a half;
 * without any, the shifted potentials are as if they were 0.
 */
static inline __attribute__((always_inline)) uint32_t fire(const snn_neurons *neurons, uint32_t block,
                                                           uint32_t subtract, uint32_t shift, uint32_t mask,
                                                           uint32_t more, snn_pair *potential, const snn_sums *current)
{
    const snn_pair *bias = snn_pairs_of(neurons->bias, block);
    const snn_pair *threshold = snn_pairs_of(neurons->threshold, block);
    uint32_t fired = 0;
    uint32_t k;

    for (k = SNN_PAIRS; k-- > 0;) {
        const uint32_t before = potential[k] ^ SNN_SIGNS;
        const uint32_t shifted = (before >> shift) & mask;
        uint32_t u = (subtract ? before - shifted : shifted) + more;
        uint32_t above;

        u += (bias[k] ^ SNN_SIGNS) + (current->pair[k] ^ SNN_SIGNS);
        above = u - threshold[k];
        fired <<= 1;
        if (above & SNN_SIGNS) {
            const uint32_t reached = (above >> 15) & SNN_ONES;
            /* All bits of the halves of which those are the lowest. */
            const uint32_t halves = (reached << 16) - reached;

            fired |= reached;
            u -= (neurons->reset_to_zero ? u ^ SNN_SIGNS : threshold[k]) & halves;
        }
        potential[k] = u ^ SNN_SIGNS;
    }
    return (fired | fired >> 8) & 0xFFFFu;
}

uint32_t snn_fire(const snn_neurons *neurons, uint32_t block, uint32_t t, snn_pair *potential,
                  const snn_sums *current)
{
    const uint32_t leak = t ? neurons->leak : SNN_LEAK_SHIFT;
    const uint32_t shift = neurons->leak_shift;
    const uint32_t mask = t && neurons->leak != SNN_LEAK_NONE ? (0xFFFFu >> shift) * SNN_ONES : 0;
    const uint32_t excess = mask ? (0x8000u >> shift) * SNN_ONES : 0;

    if (leak == SNN_LEAK_SHIFT) {
        return fire(neurons, block, 0, shift, mask, 0u - SNN_SIGNS - excess, potential, current);
    }
    return fire(neurons, block, 1, shift, mask, excess - 2u * SNN_SIGNS, potential, current);
}
#endif
