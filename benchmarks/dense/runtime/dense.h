/**
 * @file dense.h
 * Kernels of a dense network of 8-bit integers: the rival that spiking firmware is measured against.
 *
 * Maps are uint8 [row][column][channel], zero is 0. benchmarks/dense/network.py says what is computed.
 */
#ifndef DENSE_H
#define DENSE_H

#include <stdint.h>

#if defined(__ARM_FEATURE_SIMD32) || defined(__ARM_FEATURE_DSP)
#define DENSE_SIMD 1
#else
#define DENSE_SIMD 0
#endif

#define DENSE_ALIGNED __attribute__((aligned(4)))

/** Taps are worked on by four, so that two words have their weights in two channels. */
#define DENSE_TAPS 4

/** Offset that stands for the image, which is no part of the arena. */
#define DENSE_IMAGE 0xFFFFFFFFu

/** A convolution; `padded_rows`: each row of the window is filled up to whole groups of taps, else the window is. */
typedef struct {
    uint32_t source;
    uint16_t height, width, channels;
    uint8_t kernel, stride, padded_rows;
    uint16_t row_groups, groups;
} dense_edge;

/** Another map of the same shape that is added: itself, or the sums of its 3x3 windows. */
typedef struct {
    uint32_t source;
    uint32_t window;
    const int32_t *factor;
} dense_addend;

/**
 * A layer. Scratch: the column of two pixels, what their sums begin with if something is added, gathered bytes, and the
 * output of a pixel that does not exist.
 */
typedef struct {
    const dense_edge *edges;
    const dense_addend *addends;
    const void *weights; /**< in the order of the core's kernel */
    const int32_t *bias, *multiplier;
    const uint8_t *zeros;
    uint32_t edge_count, addend_count;
    uint32_t output, column, start, gathered, spare;
    uint16_t height, width, channels, groups;
} dense_layer;

typedef struct {
    uint32_t source, output;
    uint16_t height, width, channels; /**< of the output */
    uint16_t source_width;
} dense_max_pool;

/** `positions` are summed over before; a flattened map has one. */
typedef struct {
    const int8_t *weights;
    const int32_t *bias;
    uint32_t source, sums, features, positions, classes;
} dense_head;

/** Two pixels, all channels; the assembly knows the offsets. */
typedef struct {
    const void *weights;
    const uint32_t *column;
    const uint32_t *column_end;
    const int32_t *start[2];
    const int32_t *multiplier;
    uint8_t *output[2];
    uint32_t channels;
    uint32_t groups;
} dense_pixels;

/** Sums, requantization and rectification of all channels of two pixels. */
void dense_multiply(const dense_pixels *pixels);

/** Widen `groups` * 4 bytes of two pixels into a column, and return its end. */
uint32_t *dense_widen(uint32_t *column, const uint8_t *first, const uint8_t *second, uint32_t groups);

void dense_convolve(const dense_layer *layer, const uint8_t *image, uint8_t *arena);
void dense_pool(const dense_max_pool *pool, uint8_t *arena);
void dense_linear(const dense_head *head, uint8_t *arena, int32_t *scores);

#endif
