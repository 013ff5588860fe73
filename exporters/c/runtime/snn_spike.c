/**
 * @file snn_spike.c
 * The layer that sees spikes. Only the weights of neurons that fired are read: at each position the spike words
 * that are not zero are listed once, and every block of output channels then walks the list.
 */
#include "snn_spike.h"

/* Where the events of each time step end. */
typedef struct {
    const snn_event *first;
    const snn_event *end[SNN_MAX_TIME_STEPS];
} event_list;

/* Rows or columns of a source: those of a window, and those of them that lie within the map. */
typedef struct {
    int32_t start;
    int32_t first;
    int32_t end;
} span;

static span window(int32_t position, int32_t kernel, int32_t stride, int32_t size)
{
    const int32_t start = position * stride - kernel / 2;
    span result;

    result.start = start;
    result.first = start < 0 ? 0 : start;
    result.end = start + kernel > size ? size : start + kernel;
    return result;
}

/* The spikes of one row and time step of a source, from one column on. */
static const snn_spikes *spikes_at(const snn_edge *edge, const uint8_t *arena, uint32_t time_steps, uint32_t t,
                                   int32_t row, int32_t column)
{
    const snn_spikes *spikes = (const snn_spikes *)(const void *)(arena + edge->source);

    return spikes + (((uint32_t)row * time_steps + t) * edge->width + (uint32_t)column) * edge->blocks;
}

/* List the events of one convolution and one time step at the output position (y, x). */
static snn_event *list_window(const snn_edge *edge, const uint8_t *arena, uint32_t time_steps, uint32_t t, int32_t y,
                              int32_t x, uint32_t weight_row, snn_event *event)
{
    const int32_t kernel = edge->kernel;
    const span rows = window(y, kernel, edge->stride, edge->height);
    const span columns = window(x, kernel, edge->stride, edge->width);
    const uint32_t blocks = edge->blocks;
    const uint32_t channels = edge->channels;
    int32_t row, column;
    uint32_t block;

    for (row = rows.first; row < rows.end; row++) {
        const snn_spikes *spikes = spikes_at(edge, arena, time_steps, t, row, columns.first);
        const int32_t skipped = (row - rows.start) * kernel + columns.first - columns.start;
        uint32_t first_channel = weight_row + (uint32_t)skipped * channels;

        for (column = columns.first; column < columns.end; column++) {
            for (block = 0; block < blocks; block++) {
                const uint32_t word = *spikes++;

                if (word) {
                    *event++ = word | (first_channel + block * SNN_BLOCK) << 16;
                }
            }
            first_channel += channels;
        }
    }
    return event;
}

/* List the events of all convolutions at the output position (y, x), time step by time step. */
static void list_events(const snn_spike_node *node, uint8_t *arena, int32_t y, int32_t x, event_list *list)
{
    const uint32_t time_steps = node->neurons.time_steps;
    snn_event *event = (snn_event *)(void *)(arena + node->scratch);
    uint32_t t, i;

    list->first = event;
    for (t = 0; t < time_steps; t++) {
        uint32_t weight_row = 0;

        for (i = 0; i < node->edge_count; i++) {
            const snn_edge *edge = &node->edges[i];

            if (edge->kind == SNN_EDGE_CONVOLUTION) {
                event = list_window(edge, arena, time_steps, t, y, x, weight_row, event);
                weight_row += (uint32_t)edge->kernel * edge->kernel * edge->channels;
            }
        }
        list->end[t] = event;
    }
}

/* Add a packed pair to the currents of two channels. */
static void add_pair(uint32_t pair, int32_t *low, int32_t *high)
{
    pair += (uint32_t)*low + ((uint32_t)*high << 16);
    *low = (int16_t)(pair & 0xFFFFu);
    *high = (int16_t)((pair - (uint32_t)*low) >> 16);
}

void snn_add_pairs(uint32_t even, uint32_t odd, int32_t *current)
{
    add_pair(even, &current[0], &current[2]);
    add_pair(odd, &current[1], &current[3]);
}

/* Add 2^(exponent - less) to the current of each channel that fired. */
static void add_units(uint32_t spikes, const uint8_t *exponent, uint32_t less, int32_t *current)
{
    while (spikes) {
        const uint32_t c = snn_lowest(spikes);

        current[c] += 1 << (exponent[c] - less);
        spikes &= spikes - 1u;
    }
}

/* Add the current of a skip (a window of one) or pool edge (a window of 3x3) to that of a block. */
static void add_neighbours(const snn_edge *edge, const uint8_t *arena, uint32_t time_steps, uint32_t t, int32_t y,
                           int32_t x, uint32_t block, const uint8_t *exponent, int32_t *current)
{
    const int32_t size = edge->kind == SNN_EDGE_POOL ? 3 : 1;
    const uint32_t less = edge->kind == SNN_EDGE_POOL ? 3u : 0u;
    const span rows = window(y, size, 1, edge->height);
    const span columns = window(x, size, 1, edge->width);
    int32_t row, column;

    for (row = rows.first; row < rows.end; row++) {
        const snn_spikes *spikes = spikes_at(edge, arena, time_steps, t, row, columns.first) + block;

        for (column = columns.first; column < columns.end; column++) {
            add_units(*spikes, exponent, less, current);
            spikes += edge->blocks;
        }
    }
}

/* Bias plus the currents of the skip and pool edges. */
static void start_current(const snn_spike_node *node, const uint8_t *arena, int32_t y, int32_t x, uint32_t block,
                          uint32_t t, int32_t *current)
{
    const int16_t *bias = node->neurons.bias + block * SNN_BLOCK;
    uint32_t i, c;

    for (c = 0; c < SNN_BLOCK; c++) {
        current[c] = bias[c];
    }
    for (i = 0; i < node->edge_count; i++) {
        const snn_edge *edge = &node->edges[i];

        if (edge->kind != SNN_EDGE_CONVOLUTION) {
            add_neighbours(edge, arena, node->neurons.time_steps, t, y, x, block, node->exponent + block * SNN_BLOCK,
                           current);
        }
    }
}

/* Run all time steps of one block at the output position (y, x), whose spikes go to output[t * plane]. */
static void run_block(const snn_spike_node *node, const uint8_t *arena, const event_list *list, int32_t y, int32_t x,
                      uint32_t block, snn_accumulate accumulate, snn_spikes *output, uint32_t plane)
{
    const snn_event *event = list->first;
    int32_t potential[SNN_BLOCK], current[SNN_BLOCK];
    uint32_t c, t;

    for (c = 0; c < SNN_BLOCK; c++) {
        potential[c] = 0;
    }
    for (t = 0; t < node->neurons.time_steps; t++) {
        start_current(node, arena, y, x, block, t, current);
        if (event != list->end[t]) {
            accumulate(node, block, event, list->end[t], current);
            event = list->end[t];
        }
        output[t * plane] = (uint16_t)snn_fire(&node->neurons, block, potential, current);
    }
}

void snn_layer(const snn_spike_node *node, uint8_t *arena, snn_accumulate accumulate)
{
    const snn_neurons *neurons = &node->neurons;
    const uint32_t plane = (uint32_t)neurons->width * neurons->blocks;
    snn_spikes *output = (snn_spikes *)(void *)(arena + neurons->output);
    event_list list;
    int32_t y, x;
    uint32_t block;

    for (y = 0; y < neurons->height; y++) {
        for (x = 0; x < neurons->width; x++) {
            list_events(node, arena, y, x, &list);
            for (block = 0; block < neurons->blocks; block++) {
                run_block(node, arena, &list, y, x, block, accumulate, output++, plane);
            }
        }
        /* The next row begins behind the planes of the other time steps. */
        output += (neurons->time_steps - 1u) * plane;
    }
}

void snn_pass(const snn_spike_node *node, uint8_t *arena)
{
    snn_layer(node, arena, 0);
}
