/**
 * @file dense_plain.c
 * The dense kernel in C, for cores without the DSP extension: four output channels times two pixels.
 */
#include "dense.h"

#if !DENSE_SIMD

/* One rounded shift: floor((a * b + 2^31) / 2^32). */
static int32_t scaled(int32_t a, int32_t b)
{
#if defined(__ARM_ARCH_6M__)
    /* There is no long product; this is its upper half from four short ones (Warren, Hacker's Delight, 8-2). */
    const uint32_t a0 = (uint32_t)a & 0xFFFFu, b0 = (uint32_t)b & 0xFFFFu;
    const int32_t a1 = a >> 16, b1 = b >> 16;
    const uint32_t low = a0 * b0;
    const int32_t middle = a1 * (int32_t)b0 + (int32_t)(low >> 16);
    const int32_t other = (int32_t)a0 * b1 + (middle & 0xFFFF);
    const uint32_t rest = ((uint32_t)other << 16) | (low & 0xFFFFu);

    return a1 * b1 + (middle >> 16) + (other >> 16) + (int32_t)(rest >> 31);
#else
    return (int32_t)(((int64_t)a * b + INT64_C(0x80000000)) >> 32);
#endif
}

static uint8_t rectified(int32_t sum, int32_t multiplier)
{
    const int32_t value = scaled(sum, multiplier);

    return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

void dense_multiply(const dense_pixels *pixels)
{
    const int8_t *weight = pixels->weights;
    uint32_t c, p;

    for (c = 0; c < pixels->channels; c += 2) {
        const uint16_t *column = (const uint16_t *)(const void *)pixels->column;
        const uint16_t *end = (const uint16_t *)(const void *)pixels->column_end;
        int32_t a = pixels->start[0][c], b = pixels->start[1][c];
        int32_t d = pixels->start[0][c + 1], e = pixels->start[1][c + 1];

        do {
            const int32_t x0 = column[0], y0 = column[1], x1 = column[2], y1 = column[3];

            a += weight[0] * x0;
            b += weight[0] * y0;
            d += weight[1] * x0;
            e += weight[1] * y0;
            a += weight[2] * x1;
            b += weight[2] * y1;
            d += weight[3] * x1;
            e += weight[3] * y1;
            weight += 4;
            column += 4;
        } while (column != end);
        for (p = 0; p < 2; p++) {
            pixels->output[p][c] = rectified(p ? b : a, pixels->multiplier[c]);
            pixels->output[p][c + 1] = rectified(p ? e : d, pixels->multiplier[c + 1]);
        }
    }
}

uint32_t *dense_widen(uint32_t *column, const uint8_t *first, const uint8_t *second, uint32_t groups)
{
    uint32_t i;

    for (i = 0; i < groups * DENSE_TAPS; i++) {
        *column++ = first[i] | (uint32_t)second[i] << 16;
    }
    return column;
}

#endif
