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
/* What a potential is a time step later. */
static inline int32_t leaked(const snn_neurons *neurons, int32_t u)
{
    if (neurons->leak == SNN_LEAK_SUBTRACT) {
        return u - (u >> neurons->leak_shift);
    }
    return neurons->leak == SNN_LEAK_SHIFT ? u >> neurons->leak_shift : u;
}

uint32_t snn_fire(const snn_neurons *neurons, uint32_t block, uint32_t t, snn_pair *potential,
                  const snn_sums *current)
{
    const snn_pair *bias = snn_pairs_of(neurons->bias, block);
    const snn_pair *threshold = snn_pairs_of(neurons->threshold, block);
    const uint32_t to_zero = neurons->reset_to_zero;
    uint32_t fired = 0;
    uint32_t k;

    for (k = 0; k < SNN_PAIRS; k++) {
        const uint32_t drive = snn_add(bias[k], current->pair[k]);
        const int32_t low_threshold = snn_low(threshold[k]);
        const int32_t high_threshold = snn_high(threshold[k]);
        int32_t low = snn_low(drive);
        int32_t high = snn_high(drive);

        if (t) {
            low += leaked(neurons, snn_low(potential[k]));
            high += leaked(neurons, snn_high(potential[k]));
        }
        if (low >= low_threshold) {
            fired |= 1u << k;
            low = to_zero ? 0 : low - low_threshold;
        }
        if (high >= high_threshold) {
            fired |= 1u << (k + SNN_PAIRS);
            high = to_zero ? 0 : high - high_threshold;
        }
        potential[k] = snn_pair_of((uint32_t)low, (uint32_t)high);
    }
    return fired;
}
#endif
