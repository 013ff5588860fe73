/**
 * @file snn_spike.c
 * The layer that sees spikes. Only the weights of neurons that fired are read: at each position the words of spikes
 * that are not zero are listed once, and every block of output channels then walks the lists.
 *
 * Two time steps are worked on at once. A neuron that fires in both is on a list of its own, whose rows are added once
 * for both; trained networks have many of them, since an image is the same in every time step.
 *
 * As the kernels of snn_spike_steps.c, the layer runs one time step and keeps the potentials of all positions.
 */
#include "snn_schedule.h"
#include "snn_spike.h"

/* Time steps that are worked on at once. */
#define STEPS 2u

/* Channels of a word of spikes. */
#define WORD (2u * SNN_BLOCK)

/* Adds rows of weights; null for a layer that has none. */
typedef void (*add_rows)(const void *rows, const snn_event *event, const snn_sums *from, snn_sums *to);

/* Turns sums of codes into currents; null for weights of 8 bits, which are what they stand for. */
typedef void (*decode)(const snn_sums *from, snn_sums *to, const uint8_t *shift);

/* How the weights of a layer are added. */
typedef struct {
    add_rows add;
    decode codes;
    const uint8_t *shift;
    uint32_t row_bytes;
} row_kernel;

/* Lists of events: of neurons that fired in both time steps, and of the others for each. */
typedef struct {
    snn_event *both;
    snn_event *only[STEPS];
} event_lists;

/* Rows or columns of a source: those of a window, and those of them that lie within the map. */
typedef struct {
    int32_t start;
    int32_t first;
    int32_t end;
} span;

static inline span window(int32_t position, int32_t kernel, int32_t stride, int32_t size)
{
    const int32_t start = position * stride - kernel / 2;
    span result;

    result.start = start;
    result.first = start < 0 ? 0 : start;
    result.end = start + kernel > size ? size : start + kernel;
    return result;
}

/* The spikes of one row and time step of a source, from one column on. */
static inline const snn_spikes *spikes_at(const snn_edge *edge, const uint8_t *arena, uint32_t time_steps, uint32_t t,
                                          int32_t row, int32_t column)
{
    const snn_spikes *spikes = (const snn_spikes *)(const void *)(arena + edge->source);

    return spikes + (((uint32_t)row * time_steps + t) * edge->width + (uint32_t)column) * edge->blocks;
}

static inline snn_event *listed(snn_event *event, uint32_t spikes, uint32_t row)
{
    if (spikes) {
        event->spikes = spikes;
        event->row = row;
        event++;
    }
    return event;
}

/* List the spikes of two time steps, `first` and `second`, whose last row of weights is `row`. */
static inline void list_word(event_lists *lists, uint32_t first, uint32_t second, uint32_t share, uint32_t row)
{
    const uint32_t both = first & second & share;

    lists->both = listed(lists->both, both, row);
    lists->only[0] = listed(lists->only[0], first ^ both, row);
    lists->only[1] = listed(lists->only[1], second ^ both, row);
}

/* Two blocks of spikes. */
static inline uint32_t word_at(const snn_spikes *spikes)
{
    return spikes[0] | (uint32_t)spikes[1] << SNN_BLOCK;
}

/* Append the events of one convolution at the output position (y, x), in time steps t and, if `steps` is 2, t + 1. */
static event_lists list_window(const snn_spike_node *node, const snn_edge *edge, const uint8_t *arena, uint32_t t,
                               uint32_t steps, int32_t y, int32_t x, uint32_t weight_row, event_lists lists)
{
    const uint32_t time_steps = SNN_TIME_STEPS(&node->neurons);
    const int32_t kernel = edge->kernel;
    const span rows = window(y, kernel, edge->stride, edge->height);
    const span columns = window(x, kernel, edge->stride, edge->width);
    const uint32_t blocks = edge->blocks;
    const uint32_t channels = edge->channels;
    const uint32_t share = node->share ? ~0u : 0u;
    /* Without a second time step, the first one's spikes are read again and dropped. */
    const uint32_t plane = !SNN_STEPWISE && steps == STEPS ? (uint32_t)edge->width * blocks : 0u;
    const uint32_t second = !SNN_STEPWISE && steps == STEPS ? ~0u : 0u;
    /* Rows of weights of whole blocks lie one behind the other as the words of a row of the map do. */
    const uint32_t run = channels % SNN_BLOCK ? blocks : blocks * (uint32_t)(columns.end - columns.first);
    const uint32_t runs = channels % SNN_BLOCK ? (uint32_t)(columns.end - columns.first) : 1u;
    int32_t row;

    for (row = rows.first; row < rows.end; row++) {
        const snn_spikes *spikes = spikes_at(edge, arena, time_steps, t, row, columns.first);
        const int32_t skipped = (row - rows.start) * kernel + columns.first - columns.start;
        uint32_t first_row = weight_row + (uint32_t)skipped * channels;
        uint32_t runs_left = runs;

        for (; runs_left; runs_left--, first_row += channels) {
            uint32_t last = first_row + WORD - 1u;
            uint32_t left = run;

            for (; left >= 2u; left -= 2u, spikes += 2, last += WORD) {
                const uint32_t word = word_at(spikes);
                const uint32_t next = word_at(spikes + plane) & second;

                if (word | next) {
                    list_word(&lists, word, next, share, last);
                }
            }
            if (left) {
                const uint32_t word = (uint32_t)spikes[0] << SNN_BLOCK;
                const uint32_t next = ((uint32_t)spikes[plane] << SNN_BLOCK) & second;

                if (word | next) {
                    list_word(&lists, word, next, share, last - SNN_BLOCK);
                }
                spikes++;
            }
        }
    }
    return lists;
}

/* List the events of all convolutions at the output position (y, x); `lists` are where the lists start. */
static void list_events(const snn_spike_node *node, const uint8_t *arena, uint32_t t, uint32_t steps, int32_t y,
                        int32_t x, event_lists lists)
{
    uint32_t weight_row = 0;
    uint32_t i;

    for (i = 0; i < node->edge_count; i++) {
        const snn_edge *edge = &node->edges[i];

        if (edge->kind == SNN_EDGE_CONVOLUTION) {
            lists = list_window(node, edge, arena, t, steps, y, x, weight_row, lists);
            weight_row += (uint32_t)edge->kernel * edge->kernel * edge->channels;
        }
    }
    if (!SNN_STEPWISE) {
        lists.both->spikes = 0;
    }
    lists.only[0]->spikes = 0;
    if (!SNN_STEPWISE) {
        lists.only[1]->spikes = 0;
    }
}

/* Add to the counts of a block, eight times: the unit of a pool edge is 2^(e - 3), that of a skip edge 2^e. */
static inline void count_spikes(uint32_t *counts, uint32_t spikes, uint32_t times)
{
    /* Channels 0 to 7 in the low half, 8 to 15 in the high one. */
    const uint32_t halves = (spikes & 0xFFu) | (spikes & 0xFF00u) << 8;
    uint32_t k;

#pragma GCC unroll 8
    for (k = 0; k < SNN_PAIRS; k++) {
        counts[k] += (halves >> k & SNN_ONES) * times;
    }
}

/* Add to the sums `from` the currents of all skip and pool edges of a block. */
static void add_neighbours(const snn_spike_node *node, const uint8_t *arena, uint32_t t, int32_t y, int32_t x,
                           uint32_t block, const snn_sums *from, snn_sums *to)
{
    const uint8_t *exponent = node->exponent + block * SNN_BLOCK;
    uint32_t counts[SNN_PAIRS];
    uint32_t i, k;

    for (k = 0; k < SNN_PAIRS; k++) {
        counts[k] = 0;
    }
    for (i = 0; i < node->edge_count; i++) {
        const snn_edge *edge = &node->edges[i];
        const int32_t size = edge->kind == SNN_EDGE_POOL ? 3 : 1;
        const uint32_t times = edge->kind == SNN_EDGE_POOL ? 1u : 8u;
        span rows, columns;
        int32_t row, column;

        if (edge->kind == SNN_EDGE_CONVOLUTION) {
            continue;
        }
        rows = window(y, size, 1, edge->height);
        columns = window(x, size, 1, edge->width);
        for (row = rows.first; row < rows.end; row++) {
            const snn_spikes *spikes =
                spikes_at(edge, arena, SNN_TIME_STEPS(&node->neurons), t, row, columns.first) + block;

            for (column = columns.first; column < columns.end; column++, spikes += edge->blocks) {
                if (*spikes) {
                    count_spikes(counts, *spikes, times);
                }
            }
        }
    }
    for (k = 0; k < SNN_PAIRS; k++, exponent += 2) {
        const uint32_t low = (counts[k] & 0xFFFFu) << (exponent[0] - 3u);
        const uint32_t high = (counts[k] >> 16) << (exponent[1] - 3u);

        to->pair[k] = snn_add(from->pair[k], snn_pair_of(low, high));
    }
}

/* Run the time steps t to t + steps - 1 of one block at the output position (y, x); `none` are sums of nothing. */
static void run_block(const snn_spike_node *node, const row_kernel *kernel, const uint8_t *arena,
                      const event_lists *lists, const snn_sums *none, uint32_t t, uint32_t steps, int32_t y, int32_t x,
                      uint32_t block, snn_pair *potential, snn_spikes *output)
{
    const uint8_t *rows = (const uint8_t *)node->weights + block * node->rows * kernel->row_bytes;
    const uint32_t plane = (uint32_t)node->neurons.width * node->neurons.blocks;
    snn_sums both, sums;
    const snn_sums *shared = none;
    uint32_t step;

    if (!SNN_STEPWISE && kernel->add && lists->both->spikes) {
        kernel->add(rows, lists->both, none, &both);
        shared = &both;
    }
    for (step = 0; step < steps; step++) {
        const snn_sums *current = shared;

        if (kernel->add && lists->only[step]->spikes) {
            kernel->add(rows, lists->only[step], shared, &sums);
            current = &sums;
        }
        if (kernel->codes) {
            kernel->codes(current, &sums, kernel->shift + block * SNN_BLOCK);
            current = &sums;
        }
        if (node->exponent) {
            add_neighbours(node, arena, t + step, y, x, block, current, &sums);
            current = &sums;
        }
        output[step * plane] = (uint16_t)snn_fire(&node->neurons, block, SNN_STEPWISE + t + step, potential, current);
    }
}

static void run_layer(const snn_spike_node *node, const row_kernel *kernel, uint8_t *arena)
{
    const snn_neurons *neurons = &node->neurons;
    const uint32_t blocks = neurons->blocks;
    const uint32_t time_steps = SNN_TIME_STEPS(neurons);
    const uint32_t plane = (uint32_t)neurons->width * blocks;
    snn_spikes *output = (snn_spikes *)(void *)(arena + neurons->output);
    snn_pair *potentials = (snn_pair *)(void *)(arena + node->scratch);
    uint8_t *list = SNN_STEPWISE ? arena : arena + node->scratch + blocks * SNN_PAIRS * sizeof(snn_pair);
    event_lists lists;
    snn_sums none;
    int32_t y, x;
    uint32_t block, k, t;

    for (k = 0; k < SNN_PAIRS; k++) {
        none.pair[k] = 0;
    }
    none.count = 0;

    /* Of one time step there is one list, of the neurons that fired in it. */
    lists.both = (snn_event *)(void *)list;
    lists.only[0] = (snn_event *)(void *)(list + (SNN_STEPWISE ? 0u : node->list));
    lists.only[1] = (snn_event *)(void *)(list + (SNN_STEPWISE ? 0u : 2u * node->list));
    for (y = 0; y < neurons->height; y++) {
        for (x = 0; x < neurons->width; x++, output += blocks) {
            for (t = 0; t < time_steps; t += STEPS) {
                const uint32_t steps = time_steps - t < STEPS ? 1u : STEPS;

                if (kernel->add) {
                    list_events(node, arena, t, steps, y, x, lists);
                }
                for (block = 0; block < blocks; block++) {
                    run_block(node, kernel, arena, &lists, &none, t, steps, y, x, block, potentials + block * SNN_PAIRS,
                              output + t * plane + block);
                }
            }
            if (SNN_STEPWISE) {
                potentials += blocks * SNN_PAIRS;
            }
        }
        /* The next row begins behind the planes of the other time steps. */
        output += (time_steps - 1u) * plane;
    }
}

void SNN_KERNEL(snn_spike_8)(const snn_spike_node *node, uint8_t *arena)
{
    const row_kernel kernel = {snn_add_rows_8, 0, 0, SNN_ROW_WORDS_8 * 4u};

    run_layer(node, &kernel, arena);
}

void SNN_KERNEL(snn_spike_4)(const snn_packed_node *node, uint8_t *arena)
{
    const row_kernel kernel = {snn_add_rows_4, snn_codes_4, node->shift, SNN_ROW_WORDS_4 * 4u};

    run_layer(&node->spike, &kernel, arena);
}

void SNN_KERNEL(snn_spike_2)(const snn_packed_node *node, uint8_t *arena)
{
    const row_kernel kernel = {snn_add_rows_2, snn_codes_2, node->shift, SNN_ROW_WORDS_2 * 4u};

    run_layer(&node->spike, &kernel, arena);
}

void SNN_KERNEL(snn_pass)(const snn_spike_node *node, uint8_t *arena)
{
    const row_kernel kernel = {0, 0, 0, 0};

    run_layer(node, &kernel, arena);
}
