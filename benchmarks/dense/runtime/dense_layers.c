/**
 * @file dense_layers.c
 * What surrounds the dense kernel: columns of pixels, maps that are added, pooling and the read-out.
 */
#include "dense.h"

static const uint8_t *map_at(uint32_t offset, const uint8_t *image, const uint8_t *arena)
{
    return offset == DENSE_IMAGE ? image : arena + offset;
}

/* Whether the window whose first pixel is (y, x) lies within the map. */
static int is_inside(const dense_edge *edge, int32_t y, int32_t x)
{
    return y >= 0 && x >= 0 && y + edge->kernel <= edge->height && x + edge->kernel <= edge->width;
}

/* Copy the window whose first pixel is (y, x), zeros beyond the map, byte by byte. */
static void gather(const dense_edge *edge, const uint8_t *map, int32_t y, int32_t x, uint8_t *bytes)
{
    const uint32_t channels = edge->channels;
    const uint8_t *const first = bytes;
    int32_t row, column;
    uint32_t i;

    for (row = y; row < y + edge->kernel; row++) {
        if (edge->padded_rows) {
            bytes = (uint8_t *)first + (uint32_t)(row - y) * edge->row_groups * DENSE_TAPS;
        }
        for (column = x; column < x + edge->kernel; column++) {
            const int inside = row >= 0 && row < edge->height && column >= 0 && column < edge->width;
            const uint8_t *pixel = map + (uint32_t)(row * edge->width + column) * channels;

            for (i = 0; i < channels; i++) {
                *bytes++ = inside ? pixel[i] : 0;
            }
        }
    }
}

/* The columns of one convolution at two positions; returns the end. */
static uint32_t *widen_windows(const dense_edge *edge, const uint8_t *map, const int32_t *y, const int32_t *x,
                               uint32_t *column, uint8_t *gathered, const uint8_t *zeros)
{
    const uint32_t channels = edge->channels;
    const uint32_t pitch = (uint32_t)edge->width * channels;
    const int is_whole = channels % DENSE_TAPS == 0;
    int32_t row, i;

    if ((is_whole || edge->padded_rows) && is_inside(edge, y[0], x[0]) && is_inside(edge, y[1], x[1])) {
        const uint8_t *first = map + (uint32_t)(y[0] * edge->width + x[0]) * channels;
        const uint8_t *second = map + (uint32_t)(y[1] * edge->width + x[1]) * channels;

        for (row = 0; row < edge->kernel; row++, first += pitch, second += pitch) {
            column = dense_widen(column, first, second, edge->row_groups);
        }
    } else if (is_whole) {
        for (row = 0; row < edge->kernel; row++) {
            for (i = 0; i < edge->kernel; i++) {
                const uint8_t *pixel[2];
                uint32_t p;

                for (p = 0; p < 2; p++) {
                    const int32_t from_y = y[p] + row, from_x = x[p] + i;
                    const int inside = from_y >= 0 && from_y < edge->height && from_x >= 0 && from_x < edge->width;

                    pixel[p] = inside ? map + (uint32_t)(from_y * edge->width + from_x) * channels : zeros;
                }
                column = dense_widen(column, pixel[0], pixel[1], channels / DENSE_TAPS);
            }
        }
    } else {
        const uint32_t bytes = edge->groups * (uint32_t)DENSE_TAPS;

        gather(edge, map, y[0], x[0], gathered);
        gather(edge, map, y[1], x[1], gathered + bytes);
        column = dense_widen(column, gathered, gathered + bytes, edge->groups);
    }
    return column;
}

/* Add four bytes to sums of 16 bits: those of bytes 0 and 2 in `even`, of 1 and 3 in `odd`. */
static inline void add_bytes(uint32_t bytes, uint32_t *even, uint32_t *odd)
{
#if DENSE_SIMD
    __asm__("uxtab16 %0, %0, %1" : "+r"(*even) : "r"(bytes));
    __asm__("uxtab16 %0, %0, %1, ror #8" : "+r"(*odd) : "r"(bytes));
#else
    *even += bytes & 0x00FF00FFu;
    *odd += (bytes >> 8) & 0x00FF00FFu;
#endif
}

/* Begin the sums of channel c with `from` and the sum of the 3x3 window around (y, x); returns how many channels. */
static uint32_t add_window(const dense_layer *layer, const uint8_t *map, const int32_t *factor, const int32_t *from,
                           int32_t y, int32_t x, uint32_t c, int32_t *start)
{
    const int32_t first = y > 0 ? y - 1 : 0, end = y + 1 < layer->height ? y + 2 : layer->height;
    const int32_t left = x > 0 ? x - 1 : 0, right = x + 1 < layer->width ? x + 2 : layer->width;
    const int is_whole = layer->channels % 4u == 0;
    uint32_t even = 0, odd = 0;
    int32_t row, column;

    for (row = first; row < end; row++) {
        const uint8_t *pixel = map + (uint32_t)(row * layer->width + left) * layer->channels + c;

        for (column = left; column < right; column++, pixel += layer->channels) {
            if (is_whole) {
                add_bytes(*(const uint32_t *)(const void *)pixel, &even, &odd);
            } else {
                even += *pixel;
            }
        }
    }
    start[c] = from[c] + factor[c] * (int32_t)(even & 0xFFFFu);
    if (!is_whole) {
        return 1;
    }
    start[c + 1] = from[c + 1] + factor[c + 1] * (int32_t)(odd & 0xFFFFu);
    start[c + 2] = from[c + 2] + factor[c + 2] * (int32_t)(even >> 16);
    start[c + 3] = from[c + 3] + factor[c + 3] * (int32_t)(odd >> 16);
    return 4;
}

/* What the sums of the pixel (y, x) begin with: the bias and the maps that are added. */
static void add_maps(const dense_layer *layer, const uint8_t *arena, int32_t y, int32_t x, int32_t *start)
{
    const int32_t *from = layer->bias;
    uint32_t i, c;

    for (i = 0; i < layer->addend_count; i++) {
        const dense_addend *addend = &layer->addends[i];
        const uint8_t *map = arena + addend->source;
        const int32_t *factor = addend->factor;

        if (addend->window == 3) {
            for (c = 0; c < layer->channels;) {
                c += add_window(layer, map, factor, from, y, x, c, start);
            }
        } else {
            const uint8_t *pixel = map + (uint32_t)(y * layer->width + x) * layer->channels;

            for (c = 0; c < layer->channels; c += 2) {
                start[c] = from[c] + factor[c] * pixel[c];
                start[c + 1] = from[c + 1] + factor[c + 1] * pixel[c + 1];
            }
        }
        from = start;
    }
}

void dense_convolve(const dense_layer *layer, const uint8_t *image, uint8_t *arena)
{
    const uint32_t count = (uint32_t)layer->height * layer->width;
    uint8_t *output = arena + layer->output;
    uint32_t *const column = (uint32_t *)(void *)(arena + layer->column);
    int32_t *const start = (int32_t *)(void *)(arena + layer->start);
    dense_pixels pixels;
    int32_t y[2], x[2];
    uint32_t i, p, e;

    pixels.weights = layer->weights;
    pixels.column = column;
    pixels.column_end = column + layer->groups * 4u;
    pixels.multiplier = layer->multiplier;
    pixels.channels = layer->channels;
    pixels.groups = layer->groups;
    /* Without a convolution there is a column all the same, and its products must be zero. */
    for (i = 0; i < layer->groups * 4u && !layer->edge_count; i++) {
        column[i] = 0;
    }
    y[0] = x[0] = 0;
    for (i = 0; i < count; i += 2) {
        uint32_t *end = column;

        y[1] = y[0];
        x[1] = x[0] + 1;
        if (x[1] == layer->width) {
            y[1]++;
            x[1] = 0;
        }
        pixels.output[0] = output;
        pixels.output[1] = output + layer->channels;
        if (i + 1 == count) {
            y[1] = y[0];
            x[1] = x[0];
            pixels.output[1] = arena + layer->spare;
        }
        for (e = 0; e < layer->edge_count; e++) {
            const dense_edge *edge = &layer->edges[e];
            const int32_t padding = edge->kernel / 2, stride = edge->stride;
            const int32_t from_y[2] = {y[0] * stride - padding, y[1] * stride - padding};
            const int32_t from_x[2] = {x[0] * stride - padding, x[1] * stride - padding};

            end = widen_windows(edge, map_at(edge->source, image, arena), from_y, from_x, end, arena + layer->gathered,
                                layer->zeros);
        }
        for (p = 0; p < 2; p++) {
            pixels.start[p] = layer->bias;
            if (layer->addend_count) {
                pixels.start[p] = start + p * layer->channels;
                add_maps(layer, arena, y[p], x[p], start + p * layer->channels);
            }
        }
        dense_multiply(&pixels);
        output += 2u * layer->channels;
        y[0] = y[1];
        x[0] = x[1] + 1;
        if (x[0] == layer->width) {
            y[0]++;
            x[0] = 0;
        }
    }
}

#if DENSE_SIMD
/* Largest of each of four bytes. */
static inline uint32_t larger(uint32_t a, uint32_t b)
{
    uint32_t found;

    __asm__("usub8 %0, %1, %2\n\tsel %0, %1, %2" : "=&r"(found) : "r"(a), "r"(b) : "cc");
    return found;
}
#endif

void dense_pool(const dense_max_pool *pool, uint8_t *arena)
{
    const uint32_t channels = pool->channels;
    const uint32_t pitch = pool->source_width * channels;
    uint8_t *output = arena + pool->output;
    uint32_t y, x, c;

    for (y = 0; y < pool->height; y++) {
        const uint8_t *source = arena + pool->source + 2u * y * pitch;

        for (x = 0; x < pool->width; x++, source += 2u * channels, output += channels) {
#if DENSE_SIMD
            if (channels % 4u == 0) {
                const uint32_t *const above = (const uint32_t *)(const void *)source;
                const uint32_t *const below = (const uint32_t *)(const void *)(source + pitch);

                for (c = 0; c < channels / 4u; c++) {
                    const uint32_t next = c + channels / 4u;

                    ((uint32_t *)(void *)output)[c] = larger(larger(above[c], above[next]), larger(below[c], below[next]));
                }
                continue;
            }
#endif
            for (c = 0; c < channels; c++) {
                const uint8_t a = source[c], b = source[c + channels];
                const uint8_t d = source[pitch + c], e = source[pitch + c + channels];
                const uint8_t first = a > b ? a : b, second = d > e ? d : e;

                output[c] = first > second ? first : second;
            }
        }
    }
}

/* Products of `features` bytes. */
static int32_t product(const int8_t *weight, const uint8_t *value, uint32_t features)
{
    int32_t sum = 0;
    uint32_t i = 0;

#if DENSE_SIMD
    for (; i + 4 <= features; i += 4) {
        uint32_t w, x, t, u;

        __builtin_memcpy(&w, weight + i, 4);
        __builtin_memcpy(&x, value + i, 4);
        __asm__("sxtb16 %1, %3\n\tuxtb16 %2, %4\n\tsmlad %0, %1, %2, %0\n\t"
                "sxtb16 %1, %3, ror #8\n\tuxtb16 %2, %4, ror #8\n\tsmlad %0, %1, %2, %0"
                : "+r"(sum), "=&r"(t), "=&r"(u)
                : "r"(w), "r"(x));
    }
#endif
    for (; i < features; i++) {
        sum += weight[i] * value[i];
    }
    return sum;
}

/* Sum of each feature over all positions. */
static void count_up(const dense_head *head, const uint8_t *map, int32_t *sums)
{
    const uint32_t features = head->features;
    uint32_t i, p;

    /* Sums of 16 bits hold 257 positions. */
    if (features % 4u == 0 && head->positions <= 257u) {
        for (i = 0; i < features; i += 4) {
            const uint8_t *value = map + i;
            uint32_t even = 0, odd = 0;

            for (p = 0; p < head->positions; p++, value += features) {
                add_bytes(*(const uint32_t *)(const void *)value, &even, &odd);
            }
            sums[i] = (int32_t)(even & 0xFFFFu);
            sums[i + 1] = (int32_t)(odd & 0xFFFFu);
            sums[i + 2] = (int32_t)(even >> 16);
            sums[i + 3] = (int32_t)(odd >> 16);
        }
        return;
    }
    for (i = 0; i < features; i++) {
        int32_t sum = 0;

        for (p = 0; p < head->positions; p++) {
            sum += map[p * features + i];
        }
        sums[i] = sum;
    }
}

void dense_linear(const dense_head *head, uint8_t *arena, int32_t *scores)
{
    const uint8_t *map = arena + head->source;
    int32_t *const sums = (int32_t *)(void *)(arena + head->sums);
    uint32_t k, i;

    if (head->positions == 1) {
        for (k = 0; k < head->classes; k++) {
            scores[k] = head->bias[k] + product(head->weights + k * head->features, map, head->features);
        }
        return;
    }
    count_up(head, map, sums);
    for (k = 0; k < head->classes; k++) {
        const int8_t *weight = head->weights + k * head->features;
        int32_t score = head->bias[k];

        for (i = 0; i < head->features; i++) {
            score += weight[i] * sums[i];
        }
        scores[k] = score;
    }
}
