/**
 * @file snn.h
 * Integer kernels for spiking neural networks: no allocation, no recursion, no floating point, no division.
 *
 * A layer runs all its time steps at once, position by position, so that a membrane potential is alive only while its
 * position is worked on. Channels are worked on in blocks of 16:
 *
 * - the spikes of a map are planes of uint16 words, [row][time step][column][block]; channel c is bit
 *   c % 16 of block c / 16, and the channels that pad the last block never fire;
 * - what is kept for each channel, and is added up for each, are packed pairs of int16: pair k of a block has
 *   channel k in its low half and channel k + 8 in its high half;
 * - the weights of a layer are rows of 16, one row per (edge, kernel row, kernel column, input channel),
 *   [block][row][16], on a 4-byte boundary: int8, or codes of 4 or 2 bits that stand for code * 2^shift. The bytes
 *   of word j are those of channels 2j, 2j + 1, 2j + 8 and 2j + 9, so that bytes 0 and 2 are one pair and 1 and 3 the
 *   next; codes of 4 bits have word 2j in the low bits of word j and word 2j + 1 in the high ones, and those of 2 bits
 *   all four in one word.
 *
 * Currents (with the bias and without it), potentials and thresholds fit in int16, and sums of pixels in 24 bits,
 * whatever the input is: the exporter refuses a network for which this is not proven. The kernels check nothing at run
 * time.
 */
#ifndef SNN_H
#define SNN_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Channels of a block. */
#define SNN_BLOCK 16u

/** Packed pairs of a block. */
#define SNN_PAIRS 8u

/** Most time steps of a network. */
#define SNN_MAX_TIME_STEPS 8u

/** Alignment of arrays and buffers in bytes. */
#define SNN_ALIGNED __attribute__((aligned(4)))

/** The compiler, as the toolchain names it: its measured code sizes are the compiler's own. */
#ifdef __clang__
#define SNN_COMPILER "zig"
#else
#define SNN_COMPILER "gcc"
#endif

/** A condition that does not compile unless it holds. */
#define SNN_ASSERT(name, condition) extern char snn_assert_##name[(condition) ? 1 : -1]

/* Views of an arena of bytes; they may alias whatever else is read from the same bytes. */
/** Spikes of 16 channels. */
typedef uint16_t __attribute__((may_alias)) snn_spikes;
/** Two channels of a block, k in the low half and k + 8 in the high half. */
typedef uint32_t __attribute__((may_alias)) snn_pair;
/** Spikes of one feature of the head. */
typedef uint16_t __attribute__((may_alias)) snn_count;

/** What becomes of a membrane potential u in one time step, before the current is added. */
enum snn_leak {
    SNN_LEAK_NONE,     /**< u */
    SNN_LEAK_SUBTRACT, /**< u - (u >> shift) */
    SNN_LEAK_SHIFT     /**< u >> shift */
};

/** How an edge turns spikes into current. */
enum snn_edge_kind {
    SNN_EDGE_CONVOLUTION, /**< sum of the weights of the neurons that fired */
    SNN_EDGE_SKIP,        /**< spike * 2^e */
    SNN_EDGE_POOL         /**< count in the 3x3 window * 2^(e - 3) */
};

/** The neurons of a layer. */
typedef struct {
    const int16_t *bias;      /**< one a channel, pair by pair, padded to whole blocks */
    const int16_t *threshold; /**< likewise; at least 1 */
    uint32_t output;          /**< where the spikes go: byte offset in the arena */
    uint16_t height;
    uint16_t width;
    uint16_t blocks;
    uint8_t time_steps;
    uint8_t leak;       /**< enum snn_leak */
    uint8_t leak_shift; /**< 1 to 15 */
    uint8_t reset_to_zero;
} snn_neurons;

/** A layer that sees pixels. */
typedef struct {
    snn_neurons neurons;
    const int8_t *weights;   /**< [block][two taps][16][tap]: words of channels k and k + 8 */
    const uint8_t *rounding; /**< bits rounded away from the sum, one a channel, pair by pair */
    uint32_t scratch;        /**< byte offset in the arena: the pixels of a window, then a position's potentials */
    uint16_t source_height;
    uint16_t source_width;
    uint16_t source_channels;
    uint8_t kernel; /**< 1 or 3, zero padded by kernel / 2 */
    uint8_t stride; /**< 1 or 2 */
} snn_pixel_node;

/** A source of spikes. */
typedef struct {
    uint32_t source; /**< byte offset of its spikes in the arena */
    uint16_t height;
    uint16_t width;
    uint16_t blocks;
    uint16_t channels;
    uint8_t kind;   /**< enum snn_edge_kind */
    uint8_t kernel; /**< of a convolution: 1 or 3, zero padded by kernel / 2 */
    uint8_t stride; /**< of a convolution: 1 or 2 */
} snn_edge;

/** A layer that sees spikes. */
typedef struct {
    snn_neurons neurons;
    const snn_edge *edges;
    const void *weights;     /**< of the convolutions in the order of the edges; null if there is none */
    const uint8_t *exponent; /**< e, one a channel, pair by pair; null without skip and pool edges */
    uint32_t scratch;        /**< byte offset in the arena: a position's membrane potentials, then its lists of events */
    uint32_t rows;           /**< weight rows of a block */
    uint16_t list;           /**< bytes of one list of events */
    uint8_t edge_count;
    uint8_t share;           /**< 1: rows of neurons that fire in two time steps running are added once for both */
} snn_spike_node;

/** A layer that sees spikes, with weights of 4 or 2 bits. */
typedef struct {
    snn_spike_node spike;
    const uint8_t *shift; /**< one a channel, pair by pair, padded to whole blocks */
} snn_packed_node;

/** OR pooling: 2x2, stride 2; an odd last row or column is dropped. */
typedef struct {
    uint32_t source;
    uint32_t output;
    uint16_t height; /**< of the output */
    uint16_t width;  /**< of the output */
    uint16_t source_width;
    uint16_t blocks;
    uint8_t time_steps;
} snn_or_pool_node;

/** What a network says of itself. */
typedef struct {
    char version[16];   /**< of the toolchain that exported it, padded with zeros */
    char compiler[8];   /**< SNN_COMPILER, padded with zeros */
    uint8_t sha256[32]; /**< of the graph: structure, constants, weights, preprocessing */
    uint32_t time_steps;
} snn_info;

/** Spike counts and the linear layer that reads them. */
typedef struct {
    const void *weights; /**< [class][feature]; features in the order row, column, channel */
    const int32_t *bias;
    uint32_t source;
    uint32_t counts;   /**< byte offset in the arena: one count a feature */
    uint32_t features;
    uint16_t height;   /**< of the source */
    uint16_t width;    /**< of the source */
    uint16_t channels; /**< of the source */
    uint16_t step;     /**< features from one position to the next: 0 counts over space, channels flattens */
    uint16_t classes;
    uint8_t time_steps;
    uint8_t bits; /**< of a weight: 8, 4 or 2; where fewer than 8, each class begins with a byte of its own */
    const snn_info *info; /**< read by no kernel: a linker that drops what is unused keeps it with the network */
} snn_head_node;

/** The same with weights of 4 or 2 bits. */
typedef struct {
    snn_head_node head;
    const uint8_t *shift; /**< one a class */
} snn_packed_head_node;

/** Convolve an image, uint8 [height][width][channels], once, then run all time steps with that current. */
void snn_pixel(const snn_pixel_node *node, const uint8_t *image, uint8_t *arena);

/** The same with a frame for each time step, uint8 [time step][height][width][channels]. */
void snn_frames(const snn_pixel_node *node, const uint8_t *frames, uint8_t *arena);

/** Run all time steps of a layer that sees spikes, with weights of 8 bits; time grows with the number of spikes. */
void snn_spike_8(const snn_spike_node *node, uint8_t *arena);

/** The same with weights of 4 bits. */
void snn_spike_4(const snn_packed_node *node, uint8_t *arena);

/** The same with weights of 2 bits. */
void snn_spike_2(const snn_packed_node *node, uint8_t *arena);

/** The same without weights, of skip and pool edges alone. */
void snn_pass(const snn_spike_node *node, uint8_t *arena);

/** Halve a map of spikes. */
void snn_or_pool(const snn_or_pool_node *node, uint8_t *arena);

/** Count the spikes and write one score a class. */
void snn_head(const snn_head_node *node, uint8_t *arena, int32_t *scores);

/** The same with weights of 4 or 2 bits. */
void snn_packed_head(const snn_packed_head_node *node, uint8_t *arena, int32_t *scores);

/*
 * Streams: one time step of every layer in turn. Descriptors of such a network have one time step; `scratch` of a layer
 * is where the potentials of all its positions are kept, and what a kernel works with lies where the arena begins.
 */

/** Run one time step, whose pixels are those of `frame`, uint8 [height][width][channels]. */
void snn_pixel_step(const snn_pixel_node *node, const uint8_t *frame, uint8_t *arena);

/** Run one time step of a layer that sees spikes, with weights of 8 bits. */
void snn_spike_8_step(const snn_spike_node *node, uint8_t *arena);

/** The same with weights of 4 bits. */
void snn_spike_4_step(const snn_packed_node *node, uint8_t *arena);

/** The same with weights of 2 bits. */
void snn_spike_2_step(const snn_packed_node *node, uint8_t *arena);

/** The same without weights, of skip and pool edges alone. */
void snn_pass_step(const snn_spike_node *node, uint8_t *arena);

/** Add the spikes of one time step to the counts. */
void snn_count_step(const snn_head_node *node, uint8_t *arena);

/** Write one score a class, of the counts so far. */
void snn_head_step(const snn_head_node *node, uint8_t *arena, int32_t *scores);

/** The same with weights of 4 or 2 bits. */
void snn_packed_head_step(const snn_packed_head_node *node, uint8_t *arena, int32_t *scores);

/** Count a time step in the first word of what is kept: 1, or 0 if there have been `most` already. */
int snn_take_step(uint8_t *kept, uint32_t most);

/** Clear what is kept, `bytes` from `kept` on, both multiples of 4. */
void snn_forget(uint8_t *kept, uint32_t bytes);

/** The inference function of a network. */
typedef void (*snn_infer)(const uint8_t *image, int32_t *scores);

/** Run `image` and compare: 1 if `scores` come out as the `known` ones, else 0. */
int snn_self_test(snn_infer infer, const uint8_t *image, const int32_t *known, int32_t *scores, uint32_t classes);

#ifdef __cplusplus
}
#endif

#endif
