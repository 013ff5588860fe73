/**
 * @file snn_pixel.c
 * The layer that sees pixels: a dense convolution, done once for an image, which does not change over time, and for
 * each frame where there is one a time step.
 */
#include "snn.h"

/* Two kernels of one source: whichever a network uses is compiled as if the other were not there. */
#define INLINED static inline __attribute__((always_inline))

/* Sums of weight * pixel of one block at the output position (y, x). */
INLINED void convolve(const snn_pixel_node *node, const uint8_t *image, const int8_t *weights, int32_t y, int32_t x,
                     int32_t *sum)
{
    const int32_t kernel = node->kernel;
    const int32_t first_row = y * node->stride - kernel / 2;
    const int32_t first_column = x * node->stride - kernel / 2;
    const uint32_t channels = node->source_channels;
    int32_t ky, kx;
    uint32_t c, i;

    for (c = 0; c < SNN_BLOCK; c++) {
        sum[c] = 0;
    }
    for (ky = 0; ky < kernel; ky++) {
        for (kx = 0; kx < kernel; kx++, weights += channels * SNN_BLOCK) {
            const int32_t row = first_row + ky;
            const int32_t column = first_column + kx;
            const int8_t *weight = weights;
            const uint8_t *pixel;

            if (row < 0 || row >= node->source_height || column < 0 || column >= node->source_width) {
                continue;
            }
            pixel = image + (uint32_t)(row * node->source_width + column) * channels;
            for (i = 0; i < channels; i++, weight += SNN_BLOCK) {
                const int32_t value = pixel[i];

                for (c = 0; c < SNN_BLOCK; c++) {
                    sum[c] += weight[c] * value;
                }
            }
        }
    }
}

/* Each of `frames` images is what `steps` time steps see. */
INLINED void run(const snn_pixel_node *node, const uint8_t *image, uint8_t *arena, uint32_t frames, uint32_t steps)
{
    const snn_neurons *neurons = &node->neurons;
    const uint32_t rows = (uint32_t)node->kernel * node->kernel * node->source_channels;
    const uint32_t plane = (uint32_t)neurons->width * neurons->blocks;
    const uint32_t size = (uint32_t)node->source_height * node->source_width * node->source_channels;
    snn_spikes *output = (snn_spikes *)(void *)(arena + neurons->output);
    int32_t potential[SNN_BLOCK], current[SNN_BLOCK];
    int32_t y, x;
    uint32_t block, c, f, t;

    for (y = 0; y < neurons->height; y++) {
        for (x = 0; x < neurons->width; x++) {
            for (block = 0; block < neurons->blocks; block++) {
                const uint32_t first = block * SNN_BLOCK;
                const uint8_t *frame = image;

                for (c = 0; c < SNN_BLOCK; c++) {
                    potential[c] = 0;
                }
                for (f = 0; f < frames; f++) {
                    convolve(node, frame, node->weights + first * rows, y, x, current);
                    frame += size;
                    for (c = 0; c < SNN_BLOCK; c++) {
                        const uint32_t rounding = node->rounding[first + c];
                        const int32_t half = (int32_t)((1u << rounding) >> 1);

                        current[c] = ((current[c] + half) >> rounding) + neurons->bias[first + c];
                    }
                    for (t = 0; t < steps; t++) {
                        output[(f + t) * plane] = (uint16_t)snn_fire(neurons, block, potential, current);
                    }
                }
                output++;
            }
        }
        /* The next row begins behind the planes of the other time steps. */
        output += (neurons->time_steps - 1u) * plane;
    }
}

void snn_pixel(const snn_pixel_node *node, const uint8_t *image, uint8_t *arena)
{
    run(node, image, arena, 1u, node->neurons.time_steps);
}

void snn_frames(const snn_pixel_node *node, const uint8_t *frames, uint8_t *arena)
{
    run(node, frames, arena, node->neurons.time_steps, 1u);
}
