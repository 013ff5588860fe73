/**
 * @file snn_spike.h
 * What the kernels of layers that see spikes share; no part of the interface.
 *
 * snn_spike.c lists the neurons that fired around each position and runs the layer's neurons; snn_rows.c, and for cores
 * with DSP instructions snn_rows_dsp.c, add their weights. Only the widths of weights that a network has are linked.
 */
#ifndef SNN_SPIKE_H
#define SNN_SPIKE_H

#include "snn_pairs.h"

/* Neurons that fired: those of up to 32 rows of weights that lie one behind the other. */
typedef struct {
    uint32_t spikes; /* bit 31 is the last row's, bit 30 the one's before; 0 ends a list */
    uint32_t row;    /* index of the last row */
} __attribute__((may_alias)) snn_event;

/* A word of weights. */
typedef const uint32_t __attribute__((may_alias)) snn_weight_word;

/* Words of a row. */
#define SNN_ROW_WORDS_8 4u
#define SNN_ROW_WORDS_4 2u
#define SNN_ROW_WORDS_2 1u

/* Add to the sums `from` the rows of weights, of a block that starts at `rows`, of all neurons on a list. */
void snn_add_rows_8(const void *rows, const snn_event *event, const snn_sums *from, snn_sums *to);

/* The same for codes of 4 bits and of 2, which are stored with an offset: sums that snn_codes_* turns into currents. */
void snn_add_rows_4(const void *rows, const snn_event *event, const snn_sums *from, snn_sums *to);
void snn_add_rows_2(const void *rows, const snn_event *event, const snn_sums *from, snn_sums *to);

/* Sums of codes as what they stand for, code * 2^shift. */
void snn_codes_4(const snn_sums *from, snn_sums *to, const uint8_t *shift);
void snn_codes_2(const snn_sums *from, snn_sums *to, const uint8_t *shift);

/* Sums of codes, less `offset`, as what they stand for. */
static inline uint32_t snn_scaled(uint32_t pair, uint32_t offset, const uint8_t *shift)
{
    return snn_pair_of((pair - offset) << shift[0], ((pair >> 16) - offset) << shift[1]);
}

#endif
