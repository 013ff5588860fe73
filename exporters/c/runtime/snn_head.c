/**
 * @file snn_head.c
 * The read-out: spike counts and a linear layer.
 */
#include "snn.h"

/* Count the spikes over time, and over space too where the positions share their features. */
static void count(const snn_head_node *node, const uint8_t *arena, snn_count *counts)
{
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

                    for (i = c; word; word >>= 1, i++) {
                        features[i] = (uint16_t)(features[i] + (word & 1u));
                    }
                }
            }
        }
    }
}

void snn_head(const snn_head_node *node, uint8_t *arena, int32_t *scores)
{
    snn_count *counts = (snn_count *)(void *)(arena + node->counts);
    const int8_t *weight = node->weights;
    uint32_t k, i;

    count(node, arena, counts);
    for (k = 0; k < node->classes; k++) {
        int32_t score = node->bias[k];

        for (i = 0; i < node->features; i++) {
            score += *weight++ * counts[i];
        }
        scores[k] = score;
    }
}
