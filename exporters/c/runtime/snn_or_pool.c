/**
 * @file snn_or_pool.c
 * OR pooling of spikes.
 */
#include "snn.h"

void snn_or_pool(const snn_or_pool_node *node, uint8_t *arena)
{
    const snn_spikes *source = (const snn_spikes *)(const void *)(arena + node->source);
    snn_spikes *output = (snn_spikes *)(void *)(arena + node->output);
    const uint32_t blocks = node->blocks;
    const uint32_t plane = (uint32_t)node->source_width * blocks;
    uint32_t y, t, x, block;

    for (y = 0; y < node->height; y++) {
        for (t = 0; t < node->time_steps; t++) {
            const snn_spikes *upper = source + (2u * y * node->time_steps + t) * plane;
            const snn_spikes *lower = upper + node->time_steps * plane;

            for (x = 0; x < node->width; x++) {
                for (block = 0; block < blocks; block++) {
                    *output++ = (uint16_t)(upper[block] | upper[blocks + block] | lower[block] | lower[blocks + block]);
                }
                upper += 2u * blocks;
                lower += 2u * blocks;
            }
        }
    }
}
