/**
 * @file snn_neurons.c
 * Leaky integrate-and-fire neurons with an immediate reset.
 */
#include "snn.h"

/* What C leaves to the compiler and the kernels rely on. */
SNN_ASSERT(shift_is_floor, (-3 >> 1) == -2 && (INT32_MIN >> 31) == -1);
SNN_ASSERT(narrowing_wraps, (int16_t)0xFFFFu == -1 && (int32_t)0xFFFFFFFFu == -1);
#ifdef __BYTE_ORDER__
SNN_ASSERT(little_endian, __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);
#endif

/* The sizes that the toolchain's cost model counts; the pointers of a 64-bit host are wider. */
#if UINTPTR_MAX == 0xFFFFFFFFu
SNN_ASSERT(pixel_node, sizeof(snn_pixel_node) == 40);
SNN_ASSERT(spike_node, sizeof(snn_spike_node) == 48);
SNN_ASSERT(packed_node, sizeof(snn_packed_node) == 52);
SNN_ASSERT(edge, sizeof(snn_edge) == 16);
SNN_ASSERT(or_pool_node, sizeof(snn_or_pool_node) == 20);
SNN_ASSERT(head_node, sizeof(snn_head_node) == 36);
SNN_ASSERT(packed_head_node, sizeof(snn_packed_head_node) == 40);
SNN_ASSERT(info, sizeof(snn_info) == 60);
#endif

static void leak(const snn_neurons *neurons, int32_t *potential)
{
    const uint32_t shift = neurons->leak_shift;
    uint32_t c;

    if (neurons->leak == SNN_LEAK_SUBTRACT) {
        for (c = 0; c < SNN_BLOCK; c++) {
            potential[c] -= potential[c] >> shift;
        }
    } else if (neurons->leak == SNN_LEAK_SHIFT) {
        for (c = 0; c < SNN_BLOCK; c++) {
            potential[c] >>= shift;
        }
    }
}

uint32_t snn_fire(const snn_neurons *neurons, uint32_t block, int32_t *potential, const int32_t *current)
{
    const int16_t *threshold = neurons->threshold + block * SNN_BLOCK;
    const uint32_t to_zero = neurons->reset_to_zero;
    uint32_t fired = 0;
    uint32_t c;

    leak(neurons, potential);
    for (c = 0; c < SNN_BLOCK; c++) {
        int32_t u = potential[c] + current[c];

        if (u >= threshold[c]) {
            fired |= 1u << c;
            u = to_zero ? 0 : u - threshold[c];
        }
        potential[c] = u;
    }
    return fired;
}
