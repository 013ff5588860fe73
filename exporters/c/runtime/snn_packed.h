/**
 * @file snn_packed.h
 * What the kernels of layers with packed weights, of 4 and of 2 bits, share; no part of the interface.
 *
 * A weight is code * 2^shift, with a shift for each output channel. Codes are stored with an offset, so that sums of
 * them never borrow. A spike adds its row's codes to sums of a byte a channel, which hold the 16 spikes of an event;
 * behind the event these go to sums of 16 bits.
 */
#ifndef SNN_PACKED_H
#define SNN_PACKED_H

#include "snn_spike.h"

/* Sums of a block, four channels a word; no array, which compilers would keep in memory. */
typedef struct {
    uint32_t word0;
    uint32_t word1;
    uint32_t word2;
    uint32_t word3;
} snn_byte_sums;

/* The same as snn_add_pairs for pairs of sums of codes, which stand for 2^shift times as much. */
void snn_add_codes(uint32_t even, uint32_t odd, const uint8_t *shift, int32_t *current);

/* Add a row of codes of `bits` bits: byte j of each word holds channels j, j + 4 and so on, from its low bits up. */
static inline void snn_add_row(snn_byte_sums *sums, snn_weight_word *row, uint32_t bits)
{
    if (bits == 4u) {
        sums->word0 += row[0] & 0x0F0F0F0Fu;
        sums->word1 += (row[0] >> 4) & 0x0F0F0F0Fu;
        sums->word2 += row[1] & 0x0F0F0F0Fu;
        sums->word3 += (row[1] >> 4) & 0x0F0F0F0Fu;
    } else {
        sums->word0 += row[0] & 0x03030303u;
        sums->word1 += (row[0] >> 2) & 0x03030303u;
        sums->word2 += (row[0] >> 4) & 0x03030303u;
        sums->word3 += (row[0] >> 6) & 0x03030303u;
    }
}

/* Add the codes of the neurons that fired, times 2^shift, to the currents of a block; `bits` is known when compiled. */
static inline void snn_accumulate_packed(const snn_spike_node *node, uint32_t block, const snn_event *event,
                                         const snn_event *end, int32_t *current, uint32_t bits)
{
    const uint32_t row_words = bits / 2u;
    const uint8_t *shift = ((const snn_packed_node *)(const void *)node)->shift + block * SNN_BLOCK;
    snn_weight_word *weights = (snn_weight_word *)node->weights + block * node->rows * row_words;
    snn_four_sums sums0 = {0, 0}, sums1 = {0, 0}, sums2 = {0, 0}, sums3 = {0, 0};
    uint32_t count = 0;

    for (; event != end; event++) {
        snn_weight_word *row = weights + (*event >> 16) * row_words;
        uint32_t spikes = *event & 0xFFFFu;
        snn_byte_sums bytes = {0, 0, 0, 0};

        do {
            const uint32_t silent = snn_lowest(spikes);

            row += silent * row_words;
            snn_add_row(&bytes, row, bits);
            row += row_words;
            count++;
            spikes >>= silent;
            spikes >>= 1;
        } while (spikes);
        snn_add_bytes(&sums0, bytes.word0);
        snn_add_bytes(&sums1, bytes.word1);
        snn_add_bytes(&sums2, bytes.word2);
        snn_add_bytes(&sums3, bytes.word3);
    }
    count *= SNN_PAIR << (bits - 1u);
    snn_add_codes(snn_even(sums0) - count, sums0.odd - count, shift, current);
    snn_add_codes(snn_even(sums1) - count, sums1.odd - count, shift + 4, current + 4);
    snn_add_codes(snn_even(sums2) - count, sums2.odd - count, shift + 8, current + 8);
    snn_add_codes(snn_even(sums3) - count, sums3.odd - count, shift + 12, current + 12);
}

#endif
