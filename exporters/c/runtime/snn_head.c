/**
 * @file snn_head.c
 * The read-out: spike counts and a linear layer.
 */
#include "snn_bits.h"

/* Clear the counts, and count the spikes over time, and over space too where the positions share their features. */
static const snn_count *count(const snn_head_node *node, uint8_t *arena)
{
    snn_count *counts = (snn_count *)(void *)(arena + node->counts);
    const snn_spikes *spikes = (const snn_spikes *)(const void *)(arena + node->source);
    uint32_t y, t, x, c, i;

    for (i = 0; i < node->features; i++) {
        counts[i] = 0;
    }
    for (y = 0; y < node->height; y++) {
        for (t = 0; t < node->time_steps; t++) {
            snn_count *features = counts + y * node->width * node->step;

            for (x = 0; x < node->width; x++, features += node->step) {
                for (c = 0; c < node->channels; c += SNN_BLOCK) {
                    uint32_t word = *spikes++;

                    for (; word; word &= word - 1u) {
                        features[c + snn_lowest(word)]++;
                    }
                }
            }
        }
    }
    return counts;
}

void snn_head(const snn_head_node *node, uint8_t *arena, int32_t *scores)
{
    const snn_count *counts = count(node, arena);
    const int8_t *weight = node->weights;
    uint32_t k, i;

    for (k = 0; k < node->classes; k++) {
        int32_t score = node->bias[k];

        for (i = 0; i < node->features; i++) {
            score += *weight++ * counts[i];
        }
        scores[k] = score;
    }
}

void snn_packed_head(const snn_packed_head_node *node, uint8_t *arena, int32_t *scores)
{
    const snn_head_node *head = &node->head;
    const snn_count *counts = count(head, arena);
    const uint8_t *weight = head->weights;
    const uint32_t bits = head->bits;
    /* Codes are stored with an offset. */
    const int32_t offset = 1 << (bits - 1u);
    const uint32_t mask = (1u << bits) - 1u;
    uint32_t k, i;

    for (k = 0; k < head->classes; k++) {
        int32_t sum = 0;
        uint32_t filled = 0;
        uint32_t packed = 0;

        for (i = 0; i < head->features; i++) {
            if (filled == 0) {
                packed = *weight++;
                filled = 8;
            }
            sum += ((int32_t)(packed & mask) - offset) * counts[i];
            packed >>= bits;
            filled -= bits;
        }
        scores[k] = head->bias[k] + sum * (1 << node->shift[k]);
    }
}
