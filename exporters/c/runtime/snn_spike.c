/**
 * @file snn_spike.c
 * The layer that sees spikes. Only the weights of neurons that fired are read: at each position the spike words
 * that are not zero are listed once, and every block of output channels then walks the list.
 */
#include "snn.h"

/* Four signed bytes with their sign bits flipped are four bytes w + 128, and their sums never borrow. */
#define SIGN_BITS 0x80808080u
/* The odd bytes of a word, each with 16 bits of room, once they are shifted down. */
#define ODD_BYTES 0x00FF00FFu

typedef const uint32_t __attribute__((may_alias)) weight_word;

/* Sums of four channels modulo 2^32: of the whole words, and of their odd bytes apart. */
typedef struct {
    uint32_t all;
    uint32_t odd;
} four_sums;

/* Where the events of each time step end. */
typedef struct {
    const snn_event *first;
    const snn_event *end[SNN_MAX_TIME_STEPS];
} event_list;

/* Position of the lowest bit of `bits`, which are not zero. */
static inline uint32_t lowest(uint32_t bits)
{
#if defined(__arm__) && !defined(__ARM_FEATURE_CLZ)
    uint32_t position = 0;

    while (!(bits & 1u)) {
        bits >>= 1;
        position++;
    }
    return position;
#else
    return (uint32_t)__builtin_ctz(bits);
#endif
}

static const snn_spikes *plane(const snn_edge *edge, const uint8_t *arena, uint32_t row, uint32_t time_steps, uint32_t t)
{
    const snn_spikes *spikes = (const snn_spikes *)(const void *)(arena + edge->source);

    return spikes + (row * time_steps + t) * edge->width * edge->blocks;
}

/* List the events of one convolution and one time step in the window of the output position (y, x). */
static snn_event *list_window(const snn_edge *edge, const uint8_t *arena, uint32_t time_steps, uint32_t t, int32_t y,
                              int32_t x, uint32_t weight_row, snn_event *event)
{
    const int32_t kernel = edge->kernel;
    const int32_t first_row = y * edge->stride - kernel / 2;
    const int32_t first_column = x * edge->stride - kernel / 2;
    int32_t row, column;
    uint32_t block;

    for (row = first_row; row < first_row + kernel; row++) {
        const snn_spikes *spikes;

        if (row < 0 || row >= edge->height) {
            weight_row += (uint32_t)kernel * edge->channels;
            continue;
        }
        spikes = plane(edge, arena, (uint32_t)row, time_steps, t);
        for (column = first_column; column < first_column + kernel; column++, weight_row += edge->channels) {
            if (column < 0 || column >= edge->width) {
                continue;
            }
            for (block = 0; block < edge->blocks; block++) {
                const uint32_t word = spikes[(uint32_t)column * edge->blocks + block];

                if (word) {
                    *event++ = word | (weight_row + block * SNN_BLOCK) << 16;
                }
            }
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

static void add_word(four_sums *sums, uint32_t word)
{
    word ^= SIGN_BITS;
    sums->all += word;
    sums->odd += (word >> 8) & ODD_BYTES;
}

/* Add two packed int16 to the currents of two channels; only the results need to fit in int16. */
static void add_pair(uint32_t pair, int32_t *low, int32_t *high)
{
    pair += (uint32_t)*low + ((uint32_t)*high << 16);
    *low = (int16_t)(pair & 0xFFFFu);
    *high = (int16_t)((pair - (uint32_t)*low) >> 16);
}

/* Add the sums of four channels, each of which holds `offset` (in both halves) too much. */
static void add_sums(four_sums sums, uint32_t offset, int32_t *current)
{
    add_pair(sums.all - (sums.odd << 8) - offset, &current[0], &current[2]);
    add_pair(sums.odd - offset, &current[1], &current[3]);
}

/* Add the weight rows of the neurons that fired to the currents of a block. */
static void accumulate(const snn_event *event, const snn_event *end, const int8_t *weights, int32_t *current)
{
    four_sums sums0 = {0, 0}, sums1 = {0, 0}, sums2 = {0, 0}, sums3 = {0, 0};
    uint32_t count = 0;

    for (; event != end; event++) {
        const int8_t *rows = weights + (*event >> 16) * SNN_BLOCK;
        uint32_t spikes = *event & 0xFFFFu;

        do {
            weight_word *row = (weight_word *)(const void *)(rows + lowest(spikes) * SNN_BLOCK);

            add_word(&sums0, row[0]);
            add_word(&sums1, row[1]);
            add_word(&sums2, row[2]);
            add_word(&sums3, row[3]);
            count += 128u;
            spikes &= spikes - 1u;
        } while (spikes);
    }
    count *= 0x10001u;
    add_sums(sums0, count, current);
    add_sums(sums1, count, current + 4);
    add_sums(sums2, count, current + 8);
    add_sums(sums3, count, current + 12);
}

/* Add 2^(exponent - less) to the current of each channel that fired. */
static void add_units(uint32_t spikes, const uint8_t *exponent, uint32_t less, int32_t *current)
{
    while (spikes) {
        const uint32_t c = lowest(spikes);

        current[c] += 1 << (exponent[c] - less);
        spikes &= spikes - 1u;
    }
}

/* Bias plus the currents of the skip and pool edges; both keep the map's shape. */
static void start_current(const snn_spike_node *node, const uint8_t *arena, int32_t y, int32_t x, uint32_t block,
                          uint32_t t, int32_t *current)
{
    const snn_neurons *neurons = &node->neurons;
    uint32_t i, c;

    for (c = 0; c < SNN_BLOCK; c++) {
        current[c] = neurons->bias[block * SNN_BLOCK + c];
    }
    for (i = 0; i < node->edge_count; i++) {
        const snn_edge *edge = &node->edges[i];
        const int32_t reach = edge->kind == SNN_EDGE_POOL ? 1 : 0;
        const uint8_t *exponent;
        int32_t row, column;

        if (edge->kind == SNN_EDGE_CONVOLUTION) {
            continue;
        }
        exponent = node->exponent + block * SNN_BLOCK;
        for (row = y - reach; row <= y + reach; row++) {
            const snn_spikes *spikes;

            if (row < 0 || row >= edge->height) {
                continue;
            }
            spikes = plane(edge, arena, (uint32_t)row, neurons->time_steps, t) + block;
            for (column = x - reach; column <= x + reach; column++) {
                if (column >= 0 && column < edge->width) {
                    add_units(spikes[(uint32_t)column * edge->blocks], exponent, reach ? 3u : 0u, current);
                }
            }
        }
    }
}

void snn_spike(const snn_spike_node *node, uint8_t *arena)
{
    const snn_neurons *neurons = &node->neurons;
    const uint32_t size = (uint32_t)neurons->width * neurons->blocks;
    snn_spikes *output = (snn_spikes *)(void *)(arena + neurons->output);
    int32_t potential[SNN_BLOCK], current[SNN_BLOCK];
    event_list list;
    int32_t y, x;
    uint32_t block, c, t;

    for (y = 0; y < neurons->height; y++) {
        for (x = 0; x < neurons->width; x++) {
            list_events(node, arena, y, x, &list);
            for (block = 0; block < neurons->blocks; block++) {
                const snn_event *event = list.first;

                for (c = 0; c < SNN_BLOCK; c++) {
                    potential[c] = 0;
                }
                for (t = 0; t < neurons->time_steps; t++) {
                    start_current(node, arena, y, x, block, t, current);
                    if (event != list.end[t]) {
                        accumulate(event, list.end[t], node->weights + block * node->rows * SNN_BLOCK, current);
                        event = list.end[t];
                    }
                    output[t * size] = (uint16_t)snn_fire(neurons, block, potential, current);
                }
                output++;
            }
        }
        /* The next row begins behind the planes of the other time steps. */
        output += (neurons->time_steps - 1u) * size;
    }
}
