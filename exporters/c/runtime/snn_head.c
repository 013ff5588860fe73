/**
 * @file snn_head.c
 * The read-out: spike counts and a linear layer.
 *
 * As the kernels of snn_head_steps.c, counts are kept, and what reads them is a function of its own.
 */
#include "snn_bits.h"
#include "snn_schedule.h"

/* Clear the counts, unless they are kept, and count the spikes over time, and over space too where the positions share their features. */
static const snn_count *count(const snn_head_node *node, uint8_t *arena)
{
    snn_count *counts = (snn_count *)(void *)(arena + node->counts);
    const snn_spikes *spikes = (const snn_spikes *)(const void *)(arena + node->source);
    uint32_t y, t, x, c, i;

    if (!SNN_STEPWISE) {
        for (i = 0; i < node->features; i++) {
            counts[i] = 0;
        }
    }
    for (y = 0; y < node->height; y++) {
        for (t = 0; t < SNN_TIME_STEPS(node); t++) {
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

#if SNN_STEPWISE
void snn_count_step(const snn_head_node *node, uint8_t *arena)
{
    (void)count(node, arena);
}

static const snn_count *counted(const snn_head_node *node, const uint8_t *arena)
{
    return (const snn_count *)(const void *)(arena + node->counts);
}
#else
#define counted count
#endif

void SNN_KERNEL(snn_head)(const snn_head_node *node, uint8_t *arena, int32_t *scores)
{
    const snn_count *counts = counted(node, arena);
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

void SNN_KERNEL(snn_packed_head)(const snn_packed_head_node *node, uint8_t *arena, int32_t *scores)
{
    const snn_head_node *head = &node->head;
    const snn_count *counts = counted(head, arena);
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
