/**
 * @file dense_plain.c
 * The dense kernel for cores without the DSP extension, around the sums of dense_plain.S.
 */
#include "dense.h"

#if !DENSE_SIMD

uint32_t *dense_widen(uint32_t *column, const uint8_t *first, const uint8_t *second, uint32_t groups)
{
    const uint8_t *const end = first + groups * DENSE_TAPS;

    do {
        column[0] = first[0] | (uint32_t)second[0] << 16;
        column[1] = first[1] | (uint32_t)second[1] << 16;
        column[2] = first[2] | (uint32_t)second[2] << 16;
        column[3] = first[3] | (uint32_t)second[3] << 16;
        first += 4;
        second += 4;
        column += 4;
    } while (first != end);
    return column;
}

#if defined(__ARM_ARCH_6M__)

void dense_two(const uint8_t *weights, const uint32_t *column, const uint32_t *end, uint32_t *sums);

/* floor((a * b + 2^31) / 2^32) of a positive b: there is no long product, so four short ones (Warren, Hacker's Delight,
   section 8-2). */
static uint8_t rectified(int32_t a, int32_t b)
{
    uint32_t a0, a1, b0, b1, low, middle, other, high;

    if (a <= 0) {
        return 0;
    }
    a0 = (uint32_t)a & 0xFFFFu;
    a1 = (uint32_t)a >> 16;
    b0 = (uint32_t)b & 0xFFFFu;
    b1 = (uint32_t)b >> 16;
    low = a0 * b0;
    middle = a1 * b0 + (low >> 16);
    other = a0 * b1 + (middle & 0xFFFFu);
    high = a1 * b1 + (middle >> 16) + (other >> 16) + (other >> 15 & 1u);
    return (uint8_t)(high > 255u ? 255u : high);
}

/* Sums of each pixel of a column: a word holds both until one overflows. */
static void sum_pixels(const uint32_t *column, const uint32_t *end, uint32_t *sums)
{
    sums[0] = sums[1] = 0;
    while (column != end) {
        const uint32_t left = (uint32_t)(end - column);
        const uint32_t *const stop = left > 256u ? column + 256 : end;
        uint32_t both = 0;

        do {
            both += column[0] + column[1] + column[2] + column[3];
            column += 4;
        } while (column != stop);
        sums[0] += both & 0xFFFFu;
        sums[1] += both >> 16;
    }
}

void dense_multiply(const dense_pixels *pixels)
{
    const uint8_t *weights = pixels->weights;
    const uint32_t bytes = (uint32_t)(pixels->column_end - pixels->column) * 2u;
    uint32_t offset[2], sums[4];
    uint32_t c, i;

    sum_pixels(pixels->column, pixels->column_end, offset);
    for (c = 0; c < pixels->channels; c += 2, weights += bytes) {
        dense_two(weights, pixels->column, pixels->column_end, sums);
        for (i = 0; i < 2; i++) {
            const int32_t multiplier = pixels->multiplier[c + i];
            const uint32_t upper = sums[2 * i + 1], lower = sums[2 * i] - (upper << 16);

            /* Weights are stored with an offset of 128. */
            pixels->output[0][c + i] =
                rectified(pixels->start[0][c + i] + (int32_t)(lower - (offset[0] << 7)), multiplier);
            pixels->output[1][c + i] =
                rectified(pixels->start[1][c + i] + (int32_t)(upper - (offset[1] << 7)), multiplier);
        }
    }
}

#else

void dense_four(const int8_t *weights, const uint32_t *column, const uint32_t *end, int32_t *sums);

static uint8_t rectified(int32_t a, int32_t b)
{
    const int32_t value = (int32_t)(((int64_t)a * b + INT64_C(0x80000000)) >> 32);

    return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

void dense_multiply(const dense_pixels *pixels)
{
    const int8_t *weights = pixels->weights;
    const uint32_t taps = (uint32_t)(pixels->column_end - pixels->column);
    int32_t sums[8];
    uint32_t c, i;

    for (c = 0; c < pixels->channels; c += 4, weights += taps * 4u) {
        /* The last two channels of an odd number of pairs have two empty ones beside them. */
        const uint32_t count = pixels->channels - c < 4u ? 2u : 4u;

        for (i = 0; i < count; i++) {
            sums[2 * i] = pixels->start[0][c + i];
            sums[2 * i + 1] = pixels->start[1][c + i];
        }
        dense_four(weights, pixels->column, pixels->column_end, sums);
        for (i = 0; i < count; i++) {
            pixels->output[0][c + i] = rectified(sums[2 * i], pixels->multiplier[c + i]);
            pixels->output[1][c + i] = rectified(sums[2 * i + 1], pixels->multiplier[c + i]);
        }
    }
}

#endif
#endif
