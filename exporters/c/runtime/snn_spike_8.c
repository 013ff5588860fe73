/**
 * @file snn_spike_8.c
 * Layers that see spikes, with weights of 8 bits: a row is 16 int8.
 */
#include "snn_spike.h"

#define ROW_WORDS (SNN_BLOCK / 4u)

/* Four signed bytes with their sign bits flipped are the four bytes w + 128, and sums of those never borrow. */
#define SIGN_BITS 0x80808080u
#define OFFSET 128u

static void accumulate(const snn_spike_node *node, uint32_t block, const snn_event *event, const snn_event *end,
                       int32_t *current)
{
    snn_weight_word *weights = (snn_weight_word *)node->weights + block * node->rows * ROW_WORDS;
    snn_four_sums sums0 = {0, 0}, sums1 = {0, 0}, sums2 = {0, 0}, sums3 = {0, 0};
    uint32_t count = 0;

    for (; event != end; event++) {
        snn_weight_word *row = weights + (*event >> 16) * ROW_WORDS;
        uint32_t spikes = *event & 0xFFFFu;

        do {
            const uint32_t silent = snn_lowest(spikes);

            row += silent * ROW_WORDS;
            snn_add_bytes(&sums0, row[0] ^ SIGN_BITS);
            snn_add_bytes(&sums1, row[1] ^ SIGN_BITS);
            snn_add_bytes(&sums2, row[2] ^ SIGN_BITS);
            snn_add_bytes(&sums3, row[3] ^ SIGN_BITS);
            row += ROW_WORDS;
            count++;
            spikes >>= silent;
            spikes >>= 1;
        } while (spikes);
    }
    /* Without this, clang subtracts the offset from every word rather than once from the sums. */
    __asm__("" : "+r"(count));
    count *= OFFSET * SNN_PAIR;
    snn_add_pairs(snn_even(sums0) - count, sums0.odd - count, current);
    snn_add_pairs(snn_even(sums1) - count, sums1.odd - count, current + 4);
    snn_add_pairs(snn_even(sums2) - count, sums2.odd - count, current + 8);
    snn_add_pairs(snn_even(sums3) - count, sums3.odd - count, current + 12);
}

void snn_spike_8(const snn_spike_node *node, uint8_t *arena)
{
    snn_layer(node, arena, accumulate);
}
