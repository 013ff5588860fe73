/**
 * @file spikenas_console.h
 * A console through which `spikenas-deploy verify RUN --serial PORT` runs the network on the board itself.
 *
 * It knows no peripheral: the firmware feeds the bytes that it receives, and gives a function that sends one. It
 * may share its line with boot banners, log lines and a shell, since it listens to and sends whole frames alone:
 *
 *     ~SPK?0001 W 00000040 00ff17...*5d2c60f1   request: sequence number, command, arguments, CRC-32
 *     ~SPK!0001 W 00000080*17aa40c2             answer: the same number and command
 *
 * A frame ends with a carriage return or a line feed. Numbers are hexadecimal: a sequence number of 4 digits, data
 * of 2 a byte, all others of 8. The CRC is that of zip files, over all between the tilde and the asterisk.
 *
 *     I                   who is there: protocol, image bytes, outputs, most data bytes of W, counter_hz, clock_hz,
 *                         sha256 of the network, prefix, version, compiler
 *     T                   known-answer test: 00000001 passed, 00000000 failed
 *     W offset data       bytes of the image; answered with the offset behind them
 *     R crc               run the image, if that is its CRC: whether there is a counter, and its difference
 *     S first             scores from the first-th on, at most SPIKENAS_CONSOLE_SCORES: first, how many, each of them
 *
 * What cannot be done is answered with E and one word: crc, form, range, image, idle (no scores yet). Nothing is
 * sent unasked. No allocation, no recursion, no library function; a frame never writes beyond the buffers given.
 */
#ifndef SPIKENAS_CONSOLE_H
#define SPIKENAS_CONSOLE_H

#include "snn.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Version of the protocol. */
#define SPIKENAS_CONSOLE_PROTOCOL 1u

/** Most bytes of an image in one frame. */
#define SPIKENAS_CONSOLE_DATA_BYTES 64u

/** Most scores of an answer. */
#define SPIKENAS_CONSOLE_SCORES 8u

/** Most characters of a request behind its tilde: what is longer is dropped. */
#define SPIKENAS_CONSOLE_LINE_BYTES (2u * SPIKENAS_CONSOLE_DATA_BYTES + 32u)

/** A network, and what it works in. */
typedef struct {
    const char *prefix;    /**< that of its symbols */
    const snn_info *info;  /**< &PREFIX_info */
    snn_infer infer;       /**< PREFIX_infer */
    int (*self_test)(int32_t *scores); /**< PREFIX_self_test */
    uint8_t *image;        /**< room for image_bytes, 4-byte aligned */
    uint32_t image_bytes;  /**< PREFIX_IMAGE_BYTES */
    int32_t *scores;       /**< room for outputs */
    uint32_t outputs;      /**< PREFIX_CLASSES, or PREFIX_OUTPUTS of a regression */
    uint32_t (*counter)(void); /**< counts up and wraps at 2^32, such as a cycle counter; null without one */
    uint32_t counter_hz;   /**< counts a second, such as 1000000 of microseconds; 0 if it counts the core's cycles */
    uint32_t clock_hz;     /**< the core's clock as it is set; 0 if unknown, and the board's profile is then believed */
} spikenas_console_network;

/** Send `byte`, waiting until there is room for it; `context` is as given to spikenas_console_start. */
typedef void (*spikenas_console_put)(void *context, uint8_t byte);

/** State of a console; its fields are its own. */
typedef struct {
    const spikenas_console_network *network; /**< as given */
    spikenas_console_put put;                /**< as given */
    void *context;                           /**< as given */
    uint32_t crc;    /**< of the answer so far */
    uint32_t length; /**< characters in line */
    uint8_t open;    /**< a frame has begun */
    uint8_t done;    /**< scores are those of an image */
    char line[SPIKENAS_CONSOLE_LINE_BYTES]; /**< the frame so far */
} spikenas_console;

/**
 * Set up a console.
 * @param console its state, which must stay where it is
 * @param network what it runs, which must stay where it is
 * @param put sends its answers
 * @param context given to `put`
 */
void spikenas_console_start(
    spikenas_console *console, const spikenas_console_network *network, spikenas_console_put put, void *context);

/**
 * Take a received byte. The last one of a frame carries it out: the network then runs in the caller's task, on its
 * stack, and the answer is sent before this returns. Not to be called from an interrupt.
 * @param console as set up
 * @param byte that was received
 * @return 1 if the byte is a frame's, 0 if it is somebody else's on the same line
 */
int spikenas_console_feed(spikenas_console *console, uint8_t byte);

#ifdef __cplusplus
}
#endif

#endif
