/**
 * @file snn_camera.c
 * Crop, channels and resize by area. Output row i of H covers [i h, (i + 1) h) of the h source rows where each source
 * row is H long; columns alike. An output pixel is the mean of what it covers, rounded half up.
 */
#include <stddef.h>

#include "snn_camera.h"

/** How a sample is made of the bytes of a pixel. */
enum reading { BYTE, LUMA_888, RED_565, GREEN_565, BLUE_565, LUMA_565 };

/** One plane of the cropped frame. */
typedef struct {
    const uint8_t *pixels;
    uint32_t row_bytes;
    uint32_t pixel_bytes;
    uint32_t high; /**< which byte of RGB565 is the high one */
    enum reading reading;
} plane;

/** The samples that one output row or column covers, and walks over them. */
typedef struct {
    uint32_t target; /**< how long a sample is, where an output is whole * target + rest long */
    uint32_t whole;
    uint32_t rest;
    uint32_t first;  /**< first sample */
    uint32_t head;   /**< how much of the first one */
    uint32_t middle; /**< whole samples after it */
    uint32_t tail;   /**< how much of the one after those */
    uint32_t next;   /**< sample at which the next output begins */
    uint32_t left;   /**< how much of that one is left */
} span;

static uint32_t luma(uint32_t red, uint32_t green, uint32_t blue)
{
    return (77u * red + 150u * green + 29u * blue + 128u) >> 8;
}

static uint32_t wide_5(uint32_t bits)
{
    return bits << 3 | bits >> 2;
}

static uint32_t wide_6(uint32_t bits)
{
    return bits << 2 | bits >> 4;
}

static uint32_t sample_565(enum reading reading, uint32_t word)
{
    const uint32_t red = wide_5(word >> 11), green = wide_6(word >> 5 & 63u), blue = wide_5(word & 31u);

    switch (reading) {
    case RED_565:
        return red;
    case GREEN_565:
        return green;
    case BLUE_565:
        return blue;
    default:
        return luma(red, green, blue);
    }
}

/** Sum of `count` samples from the pixel at `at` on. */
static uint32_t sum_of(const plane *from, const uint8_t *at, uint32_t count)
{
    uint32_t sum = 0;

    switch (from->reading) {
    case BYTE:
        for (; count; count--, at += from->pixel_bytes) {
            sum += *at;
        }
        break;
    case LUMA_888:
        for (; count; count--, at += 3) {
            sum += luma(at[0], at[1], at[2]);
        }
        break;
    default:
        for (; count; count--, at += 2) {
            sum += sample_565(from->reading, (uint32_t)at[from->high] << 8 | at[from->high ^ 1u]);
        }
    }
    return sum;
}

/** value / divisor, by subtraction: less than twice `bit`, of which the product with `divisor` fits. */
static uint32_t quotient(uint32_t value, uint32_t divisor, uint32_t bit)
{
    uint32_t found = 0;

    for (; bit; bit >>= 1) {
        if (value >= divisor * bit) {
            value -= divisor * bit;
            found |= bit;
        }
    }
    return found;
}

/** Before the first output of `target`, which cover `length` samples together. */
static void begin(span *covered, uint32_t length, uint32_t target)
{
    covered->target = target;
    covered->whole = quotient(length, target, 1u << 15);
    covered->rest = length - covered->whole * target;
    covered->next = 0;
    covered->left = target;
}

/** Go to the next output. */
static void advance(span *covered)
{
    covered->first = covered->next;
    covered->middle = 0;
    covered->tail = 0;
    if (covered->whole == 0 && covered->rest < covered->left) {
        covered->head = covered->rest;
        covered->left -= covered->rest;
        return;
    }
    covered->head = covered->left;
    covered->middle = covered->whole;
    covered->tail = covered->rest - covered->head;
    if (covered->rest < covered->head) {
        covered->middle--;
        covered->tail += covered->target;
    }
    covered->next += 1u + covered->middle;
    covered->left = covered->target - covered->tail;
}

static uint32_t sum_of_row(const plane *from, uint32_t row, const span *columns)
{
    const uint8_t *at = from->pixels + (size_t)row * from->row_bytes + (size_t)columns->first * from->pixel_bytes;
    uint32_t sum = columns->head * sum_of(from, at, 1);

    at += from->pixel_bytes;
    if (columns->middle) {
        sum += columns->target * sum_of(from, at, columns->middle);
        at += (size_t)columns->middle * from->pixel_bytes;
    }
    if (columns->tail) {
        sum += columns->tail * sum_of(from, at, 1);
    }
    return sum;
}

/** Resize one plane of `height` times `width` samples into every `channels`-th byte of `out`, `copies` times each. */
static void resize(
    const plane *from, uint32_t height, uint32_t width, const snn_image_shape *to, uint32_t copies, uint8_t *out)
{
    const uint32_t total = height * width;
    span rows, columns;
    uint32_t i, j, r, copy;

    begin(&rows, height, to->height);
    for (i = 0; i < to->height; i++) {
        advance(&rows);
        begin(&columns, width, to->width);
        for (j = 0; j < to->width; j++, out += to->channels) {
            uint32_t sum = total >> 1;
            uint8_t value;

            advance(&columns);
            sum += rows.head * sum_of_row(from, rows.first, &columns);
            for (r = 1; r <= rows.middle; r++) {
                sum += to->height * sum_of_row(from, rows.first + r, &columns);
            }
            if (rows.tail) {
                sum += rows.tail * sum_of_row(from, rows.first + r, &columns);
            }
            value = (uint8_t)quotient(sum, total, 1u << 7);
            for (copy = 0; copy < copies; copy++) {
                out[copy] = value;
            }
        }
    }
}

/** The plane of channel `channel` in a frame of `channels`, or of its luma. */
static plane plane_of(const snn_frame *frame, uint32_t channel, uint32_t channels, int to_luma)
{
    plane found;

    found.pixels = frame->pixels;
    found.row_bytes = frame->row_bytes;
    found.pixel_bytes = channels;
    found.high = frame->format == SNN_RGB565_LE;
    found.reading = BYTE;
    if (frame->format == SNN_RGB565_LE || frame->format == SNN_RGB565_BE) {
        found.pixel_bytes = 2;
        found.reading = to_luma ? LUMA_565 : (enum reading)(RED_565 + channel);
    } else if (frame->format == SNN_PLANES) {
        found.pixel_bytes = 1;
        found.pixels += (size_t)channel * frame->height * frame->row_bytes;
    } else if (to_luma) {
        found.reading = LUMA_888;
    } else {
        found.pixels += channel;
    }
    return found;
}

/** Channels of a frame, 0 if they cannot become those of the network. */
static uint32_t channels_of(const snn_frame *frame, const snn_image_shape *shape)
{
    uint32_t channels;

    switch (frame->format) {
    case SNN_GREY8:
        channels = 1;
        break;
    case SNN_RGB888:
    case SNN_RGB565_LE:
    case SNN_RGB565_BE:
        channels = 3;
        break;
    case SNN_INTERLEAVED:
    case SNN_PLANES:
        return shape->conversion == SNN_AS_IS ? shape->channels : 0;
    default:
        return 0;
    }
    return shape->conversion != SNN_AS_IS || channels == shape->channels ? channels : 0;
}

int snn_camera_image(const snn_frame *frame, uint8_t *image, snn_image_shape shape)
{
    const uint32_t channels = channels_of(frame, &shape);
    const int to_luma = shape.conversion == SNN_TO_GREY && channels == 3;
    const int grey_to_rgb = shape.conversion == SNN_TO_RGB && channels == 1;
    const uint32_t planes = to_luma ? 1u : channels;
    uint32_t height = frame->height, width = frame->width, top = 0, left = 0, channel;

    if (shape.crop == SNN_CROP_CENTRE_SQUARE) {
        const uint32_t side = height < width ? height : width;

        top = (height - side) >> 1;
        left = (width - side) >> 1;
        height = side;
        width = side;
    }
    /* 65535 * 65535 fits in 32 bits. */
    if (!channels || !height || !width || height * width > SNN_MAX_FRAME_PIXELS) {
        return 0;
    }
    for (channel = 0; channel < planes; channel++) {
        plane from = plane_of(frame, channel, channels, to_luma);

        from.pixels += (size_t)top * from.row_bytes + (size_t)left * from.pixel_bytes;
        resize(&from, height, width, &shape, grey_to_rgb ? 3 : 1, image + channel);
    }
    return 1;
}
