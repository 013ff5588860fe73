/**
 * @file snn_rows.c
 * The weights of neurons that fired, added up in plain C: four channels an addition.
 *
 * Signed bytes with their sign bits flipped are the bytes w + 128. Words of four are added up whole, modulo 2^32, and
 * their odd bytes apart; the sums of the even bytes are what those leave of the sums of the whole words. Since sums of
 * any rows fit in int16, as is proven for every network, nothing else has to be kept.
 */
#include "snn_bits.h"
#include "snn_spike.h"

#if !SNN_DSP

#define ODD_BYTES 0x00FF00FFu

#if !SNN_THUMB1 && !SNN_THUMB2

/* Sums of four channels: of whole words of four bytes modulo 2^32, and of their odd bytes apart. */
typedef struct {
    uint32_t all;
    uint32_t odd;
} four_sums;

/* Those of a block. */
typedef struct {
    four_sums word0;
    four_sums word1;
    four_sums word2;
    four_sums word3;
} block_sums;

/* Four signed bytes with their sign bits flipped are the four bytes w + 128, and sums of those never borrow. */
#define SIGN_BITS 0x80808080u
#define OFFSET 128u

static inline void add_bytes(four_sums *sums, uint32_t bytes)
{
    sums->all += bytes;
    sums->odd += (bytes >> 8) & ODD_BYTES;
}

/* The pairs `from` and sums of four channels, less `offset` in each, make the pairs `to`. */
static inline void finish_four(const uint32_t *from, uint32_t *to, const four_sums *sums, uint32_t less)
{
    to[0] = ((from[0] ^ SNN_SIGNS) + sums->all - (sums->odd << 8) - less) ^ SNN_SIGNS;
    to[1] = ((from[1] ^ SNN_SIGNS) + sums->odd - less) ^ SNN_SIGNS;
}

static inline void clear_four(four_sums *sums)
{
    sums->all = 0;
    sums->odd = 0;
}

static inline void clear(block_sums *sums)
{
    clear_four(&sums->word0);
    clear_four(&sums->word1);
    clear_four(&sums->word2);
    clear_four(&sums->word3);
}

static inline void finish(const snn_sums *from, snn_sums *to, const block_sums *more, uint32_t offset)
{
    const uint32_t less = offset * SNN_ONES;

    finish_four(from->pair, to->pair, &more->word0, less);
    finish_four(from->pair + 2, to->pair + 2, &more->word1, less);
    finish_four(from->pair + 4, to->pair + 4, &more->word2, less);
    finish_four(from->pair + 6, to->pair + 6, &more->word3, less);
}

void snn_add_rows_8(const void *rows, const snn_event *event, const snn_sums *from, snn_sums *to)
{
    block_sums more;
    uint32_t count = 0;

    clear(&more);
    for (; event->spikes; event++) {
        snn_weight_word *row = (snn_weight_word *)rows + event->row * SNN_ROW_WORDS_8;
        uint32_t spikes = event->spikes;

        do {
            const uint32_t skipped = snn_above(spikes);

            row -= skipped * SNN_ROW_WORDS_8;
            add_bytes(&more.word0, row[0] ^ SIGN_BITS);
            add_bytes(&more.word1, row[1] ^ SIGN_BITS);
            add_bytes(&more.word2, row[2] ^ SIGN_BITS);
            add_bytes(&more.word3, row[3] ^ SIGN_BITS);
            row -= SNN_ROW_WORDS_8;
            count++;
            spikes <<= skipped;
            spikes <<= 1;
        } while (spikes);
    }
    /* Without this, clang subtracts the offset from every word rather than once from the sums. */
    __asm__("" : "+r"(count));
    finish(from, to, &more, count * OFFSET);
}

#endif

#if !SNN_THUMB1

/* Sums of a byte a channel, four channels a word; no arrays, which compilers would keep in memory. */
typedef struct {
    uint32_t word0;
    uint32_t word1;
    uint32_t word2;
    uint32_t word3;
} byte_sums;

/* Add a row of codes of `bits` bits, which are known when this is compiled. */
static inline void add_row(byte_sums *sums, snn_weight_word *row, uint32_t bits)
{
    if (bits == 4u) {
        sums->word0 += row[0] & 0x0F0F0F0Fu;
        sums->word1 += (row[0] >> 4) & 0x0F0F0F0Fu;
        sums->word2 += row[1] & 0x0F0F0F0Fu;
        sums->word3 += (row[1] >> 4) & 0x0F0F0F0Fu;
    } else {
        sums->word0 += row[0] & 0x03030303u;
        sums->word1 += (row[0] >> 2) & 0x03030303u;
        sums->word2 += (row[0] >> 4) & 0x03030303u;
        sums->word3 += (row[0] >> 6) & 0x03030303u;
    }
}

/* Add sums of bytes to sums as numbers. */
static inline void add_four(uint32_t *sums, uint32_t *bytes)
{
    sums[0] += *bytes & ODD_BYTES;
    sums[1] += (*bytes >> 8) & ODD_BYTES;
    *bytes = 0;
}

static inline void flush(uint32_t *sums, byte_sums *bytes)
{
    add_four(sums, &bytes->word0);
    add_four(sums + 2, &bytes->word1);
    add_four(sums + 4, &bytes->word2);
    add_four(sums + 6, &bytes->word3);
}

static inline __attribute__((always_inline)) void add_codes(const void *rows, const snn_event *event,
                                                            const snn_sums *from, snn_sums *to, uint32_t bits)
{
    const uint32_t row_words = bits / 2u;
    /* As many codes as a byte holds. */
    const uint32_t most = 0xFFu / ((1u << bits) - 1u);
    uint32_t count = 0;
    uint32_t full = most;
    uint32_t less, k;
    byte_sums bytes;

    /* One by one, because compilers may call a function of the C library to clear a struct. */
    bytes.word0 = 0;
    bytes.word1 = 0;
    bytes.word2 = 0;
    bytes.word3 = 0;
    for (k = 0; k < SNN_PAIRS; k++) {
        to->pair[k] = from->pair[k] ^ SNN_SIGNS;
    }
    for (; event->spikes; event++) {
        snn_weight_word *row = (snn_weight_word *)rows + event->row * row_words;
        uint32_t spikes = event->spikes;

        do {
            const uint32_t skipped = snn_above(spikes);

            row -= skipped * row_words;
            add_row(&bytes, row, bits);
            row -= row_words;
            if (++count == full) {
                flush(to->pair, &bytes);
                full += most;
            }
            spikes <<= skipped;
            spikes <<= 1;
        } while (spikes);
    }
    flush(to->pair, &bytes);
    /* Each code has half of its range as its offset. */
    less = (count << (bits - 1u)) * SNN_ONES;
    for (k = 0; k < SNN_PAIRS; k++) {
        to->pair[k] = (to->pair[k] - less) ^ SNN_SIGNS;
    }
}

void snn_add_rows_4(const void *rows, const snn_event *event, const snn_sums *from, snn_sums *to)
{
    add_codes(rows, event, from, to, 4u);
}

void snn_add_rows_2(const void *rows, const snn_event *event, const snn_sums *from, snn_sums *to)
{
    add_codes(rows, event, from, to, 2u);
}

#endif

/* The sums are without offsets already. */
static inline void decode(const snn_sums *from, snn_sums *to, const uint8_t *shift)
{
    uint32_t k;

    for (k = 0; k < SNN_PAIRS; k++, shift += 2) {
        to->pair[k] = snn_scaled(from->pair[k], 0, shift);
    }
}

void snn_codes_4(const snn_sums *from, snn_sums *to, const uint8_t *shift)
{
    decode(from, to, shift);
}

void snn_codes_2(const snn_sums *from, snn_sums *to, const uint8_t *shift)
{
    decode(from, to, shift);
}

#endif
