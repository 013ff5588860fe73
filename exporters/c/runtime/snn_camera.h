/**
 * @file snn_camera.h
 * From a camera's frame to the pixels of a network: crop, channels, resize by area, in integers only, bit for bit as
 * the images were prepared that the network was trained on.
 */
#ifndef SNN_CAMERA_H
#define SNN_CAMERA_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Most pixels of a frame, after the crop, that are resized: the sums then fit in 32 bits. */
#define SNN_MAX_FRAME_PIXELS 16777216u

/** How the pixels of a frame lie in memory. */
enum snn_format {
    SNN_GREY8,       /**< a byte a pixel */
    SNN_RGB888,      /**< three bytes a pixel: red, green, blue */
    SNN_RGB565_LE,   /**< 16 bits a pixel, the low byte first: red is in the high five bits, blue in the low five */
    SNN_RGB565_BE,   /**< the same with the high byte first */
    SNN_INTERLEAVED, /**< a byte a channel, the channels of a pixel together: as many as the network has */
    SNN_PLANES       /**< a byte a channel, the channels one after another, each of height rows */
};

/**
 * A camera's frame.
 *
 * Five bits of colour stand for the byte that repeats their highest three below them, six for the one that repeats
 * their highest two, so that black is 0 and white 255.
 */
typedef struct {
    const uint8_t *pixels; /**< first byte of the first row */
    uint32_t row_bytes;    /**< from the begin of one row to that of the next; with SNN_PLANES in every plane */
    uint16_t height;       /**< rows */
    uint16_t width;        /**< pixels of a row */
    uint8_t format;        /**< enum snn_format */
} snn_frame;

/** What becomes of the frame's channels. */
enum snn_channels {
    SNN_TO_GREY, /**< colour becomes luma, (77 R + 150 G + 29 B + 128) >> 8 */
    SNN_TO_RGB,  /**< grey is repeated in all three channels */
    SNN_AS_IS    /**< each is one of the network's */
};

/** What is kept of the frame. */
enum snn_crop {
    SNN_CROP_NONE,         /**< everything */
    SNN_CROP_CENTRE_SQUARE /**< the square in its middle */
};

/** What a network expects. */
typedef struct {
    uint16_t height;    /**< rows of the network's image, at most 4096 */
    uint16_t width;     /**< pixels of a row, at most 4096 */
    uint16_t channels;  /**< of a pixel */
    uint8_t conversion; /**< enum snn_channels */
    uint8_t crop;       /**< enum snn_crop */
} snn_image_shape;

/**
 * Make the image of a network from a frame: crop, channels, resize by area, up or down.
 *
 * Nothing is allocated, and no division is made. Time grows with the pixels of the frame and those of the image.
 * @param frame what the camera delivered; must not overlap `image`
 * @param image [height][width][channels] of `shape`
 * @param shape what the network expects
 * @return 1; or 0, with nothing written, if the frame is empty, has more than SNN_MAX_FRAME_PIXELS after the crop, or
 *         its format has channels that cannot become the network's
 */
int snn_camera_image(const snn_frame *frame, uint8_t *image, snn_image_shape shape);

#ifdef __cplusplus
}
#endif

#endif
