/**
 * @file snn_pixel.c
 * The layer that sees pixels: a dense convolution, done once because an image does not change over time.
 */
#include "snn.h"

/* Sums of weight * pixel of one block at the output position (y, x). */
static void convolve(const snn_pixel_node *node, const uint8_t *image, const int8_t *weights, int32_t y, int32_t x,
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

void snn_pixel(const snn_pixel_node *node, const uint8_t *image, uint8_t *arena)
{
    const snn_neurons *neurons = &node->neurons;
    const uint32_t rows = (uint32_t)node->kernel * node->kernel * node->source_channels;
    const uint32_t plane = (uint32_t)neurons->width * neurons->blocks;
    snn_spikes *output = (snn_spikes *)(void *)(arena + neurons->output);
    int32_t potential[SNN_BLOCK], current[SNN_BLOCK];
    int32_t y, x;
    uint32_t block, c, t;

    for (y = 0; y < neurons->height; y++) {
        for (x = 0; x < neurons->width; x++) {
            for (block = 0; block < neurons->blocks; block++) {
                const uint32_t first = block * SNN_BLOCK;

                convolve(node, image, node->weights + first * rows, y, x, current);
                for (c = 0; c < SNN_BLOCK; c++) {
                    const uint32_t rounding = node->rounding[first + c];
                    const int32_t half = (int32_t)((1u << rounding) >> 1);

                    current[c] = ((current[c] + half) >> rounding) + neurons->bias[first + c];
                    potential[c] = 0;
                }
                for (t = 0; t < neurons->time_steps; t++) {
                    output[t * plane] = (uint16_t)snn_fire(neurons, block, potential, current);
                }
                output++;
            }
        }
        /* The next row begins behind the planes of the other time steps. */
        output += (neurons->time_steps - 1u) * plane;
    }
}
