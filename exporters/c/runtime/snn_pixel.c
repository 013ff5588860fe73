/**
 * @file snn_pixel.c
 * The layer that sees pixels: a dense convolution, done once for an image, which does not change over time, and for
 * each frame where there is one a time step.
 *
 * As the kernel of snn_pixel_steps.c, the layer runs one time step and keeps the potentials of all positions.
 */
#include "snn_dense.h"
#include "snn_schedule.h"

/* Two kernels of one source: whichever a network uses is compiled as if the other were not there. */
#define INLINED static inline __attribute__((always_inline))

static inline snn_tap *zeros(snn_tap *tap, int32_t count)
{
    for (; count > 0; count--) {
        *tap++ = 0;
    }
    return tap;
}

/* Copy the pixels around the output position (y, x), row by row, and fill up what lies beyond the image. */
INLINED void gather(const snn_pixel_node *node, const uint8_t *image, int32_t y, int32_t x, snn_tap *tap,
                    const snn_tap *last)
{
    const int32_t kernel = node->kernel;
    const int32_t width = node->source_width;
    const int32_t channels = node->source_channels;
    const int32_t first_row = y * node->stride - kernel / 2;
    const int32_t start = x * node->stride - kernel / 2;
    const int32_t first = start < 0 ? 0 : start;
    const int32_t end = start + kernel > width ? width : start + kernel;
    int32_t row, left;

    for (row = first_row; row < first_row + kernel; row++) {
        if (row < 0 || row >= node->source_height) {
            tap = zeros(tap, kernel * channels);
        } else {
            const uint8_t *pixel = image + (row * width + first) * channels;

            tap = zeros(tap, (first - start) * channels);
            for (left = (end - first) * channels; left > 0; left--) {
                *tap++ = *pixel++;
            }
            tap = zeros(tap, (start + kernel - end) * channels);
        }
    }
    /* Taps are taken in twos. */
    if (tap == last) {
        *tap = 0;
    }
}

/* Each of `frames` images is what `steps` time steps see. */
INLINED void run(const snn_pixel_node *node, const uint8_t *image, uint8_t *arena, uint32_t frames, uint32_t steps)
{
    const snn_neurons *neurons = &node->neurons;
    const uint32_t pairs = ((uint32_t)node->kernel * node->kernel * node->source_channels + 1u) / 2u;
    const uint32_t plane = (uint32_t)neurons->width * neurons->blocks;
    const uint32_t size = (uint32_t)node->source_height * node->source_width * node->source_channels;
    snn_tap *window = (snn_tap *)(void *)(SNN_STEPWISE ? arena : arena + node->scratch);
    snn_spikes *output = (snn_spikes *)(void *)(arena + neurons->output);
    snn_pair *potentials =
        SNN_STEPWISE ? (snn_pair *)(void *)(arena + node->scratch) : (snn_pair *)(void *)(window + 2u * pairs);
    snn_sums current;
    int32_t y, x;
    uint32_t block, f, t;

    for (y = 0; y < neurons->height; y++) {
        for (x = 0; x < neurons->width; x++, output += neurons->blocks) {
            const uint8_t *frame = image;

            for (f = 0; f < frames; f++, frame += size) {
                gather(node, frame, y, x, window, window + 2u * pairs - 1u);
                for (block = 0; block < neurons->blocks; block++) {
                    snn_products(node->weights + block * pairs * 2u * SNN_BLOCK, window, pairs,
                                 node->rounding + block * SNN_BLOCK, &current);
                    for (t = f; t < f + steps; t++) {
                        output[t * plane + block] = (uint16_t)snn_fire(
                            neurons, block, SNN_STEPWISE + t, potentials + block * SNN_PAIRS, &current);
                    }
                }
            }
            if (SNN_STEPWISE) {
                potentials += neurons->blocks * SNN_PAIRS;
            }
        }
        /* The next row begins behind the planes of the other time steps. */
        output += (SNN_TIME_STEPS(neurons) - 1u) * plane;
    }
}

void SNN_KERNEL(snn_pixel)(const snn_pixel_node *node, const uint8_t *image, uint8_t *arena)
{
    run(node, image, arena, 1u, SNN_TIME_STEPS(&node->neurons));
}

#if !SNN_STEPWISE
void snn_frames(const snn_pixel_node *node, const uint8_t *frames, uint8_t *arena)
{
    run(node, frames, arena, node->neurons.time_steps, 1u);
}
#endif
