/**
 * @file snn_spike_4.c
 * Layers that see spikes, with weights of 4 bits: a row is 16 codes of -7 to 7 in two words.
 */
#include "snn_packed.h"

static void accumulate(const snn_spike_node *node, uint32_t block, const snn_event *event, const snn_event *end,
                       int32_t *current)
{
    snn_accumulate_packed(node, block, event, end, current, 4u);
}

void snn_spike_4(const snn_packed_node *node, uint8_t *arena)
{
    snn_layer(&node->spike, arena, accumulate);
}
