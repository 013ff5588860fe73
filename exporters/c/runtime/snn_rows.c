/**
 * @file snn_rows.c
 * The weights of neurons that fired, added up in plain C: four channels an addition.
 */
#include "snn_bits.h"
#include "snn_spike.h"

#if !SNN_DSP

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

/* Sums of a byte a channel, four channels a word; no arrays, which compilers would keep in memory. */
typedef struct {
    uint32_t word0;
    uint32_t word1;
    uint32_t word2;
    uint32_t word3;
} byte_sums;

#define ODD_BYTES 0x00FF00FFu

/* Four signed bytes with their sign bits flipped are the four bytes w + 128, and sums of those never borrow. */
#define SIGN_BITS 0x80808080u
#define OFFSET 128u

/* Rows after which a list's next event might carry a sum of bytes beyond 16 bits, where it would spoil another's. */
#define FULL (0xFFFFu / 0xFFu - 32u)

/* As many codes of 4 bits as sums of a byte hold. */
#define HALF 0xFFFF0000u

static inline void add_bytes(four_sums *sums, uint32_t bytes)
{
    sums->all += bytes;
    sums->odd += (bytes >> 8) & ODD_BYTES;
}

/* Move sums of four channels, less `offset` in each, to two pairs. */
static inline void move_four(snn_pair *pairs, four_sums *sums, uint32_t offset)
{
    const uint32_t less = snn_pair_of(0u - offset, 0u - offset);

    pairs[0] = snn_add(pairs[0], snn_add(sums->all - (sums->odd << 8), less));
    pairs[1] = snn_add(pairs[1], snn_add(sums->odd, less));
}

/* A loop, because compilers may call a function of the C library to copy a struct. */
static inline void copy(const snn_sums *from, snn_sums *to)
{
    uint32_t k;

    for (k = 0; k < SNN_PAIRS; k++) {
        to->pair[k] = from->pair[k];
    }
    to->count = from->count;
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

static inline void move(snn_sums *sums, block_sums *more, uint32_t offset)
{
    move_four(sums->pair, &more->word0, offset);
    move_four(sums->pair + 2, &more->word1, offset);
    move_four(sums->pair + 4, &more->word2, offset);
    move_four(sums->pair + 6, &more->word3, offset);
}

void snn_add_rows_8(const void *rows, const snn_event *event, const snn_sums *from, snn_sums *to)
{
    block_sums more;
    uint32_t count = 0;

    copy(from, to);
    clear(&more);
    for (; event->spikes; event++) {
        snn_weight_word *row = (snn_weight_word *)rows + event->row * SNN_ROW_WORDS_8;
        uint32_t spikes = event->spikes;

        if (count > FULL) {
            move(to, &more, count * OFFSET);
            clear(&more);
            count = 0;
        }
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
    move(to, &more, count * OFFSET);
}

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

static inline __attribute__((always_inline)) void add_codes(const void *rows, const snn_event *event,
                                                            const snn_sums *from, snn_sums *to, uint32_t bits)
{
    const uint32_t row_words = bits / 2u;
    block_sums more;
    uint32_t count = 0;

    copy(from, to);
    clear(&more);
    for (; event->spikes; event++) {
        snn_weight_word *last = (snn_weight_word *)rows + event->row * row_words;
        uint32_t left = event->spikes;

        if (count > FULL) {
            move(to, &more, 0);
            clear(&more);
            to->count += count;
            count = 0;
        }
        do {
            uint32_t spikes = left & HALF;
            snn_weight_word *row = last;
            byte_sums bytes;

            /* One by one, because compilers may call a function of the C library to clear a struct. */
            bytes.word0 = 0;
            bytes.word1 = 0;
            bytes.word2 = 0;
            bytes.word3 = 0;
            while (spikes) {
                const uint32_t skipped = snn_above(spikes);

                row -= skipped * row_words;
                add_row(&bytes, row, bits);
                row -= row_words;
                count++;
                spikes <<= skipped;
                spikes <<= 1;
            }
            add_bytes(&more.word0, bytes.word0);
            add_bytes(&more.word1, bytes.word1);
            add_bytes(&more.word2, bytes.word2);
            add_bytes(&more.word3, bytes.word3);
            last -= SNN_BLOCK * row_words;
            left <<= SNN_BLOCK;
        } while (left);
    }
    move(to, &more, 0);
    to->count += count;
}

void snn_add_rows_4(const void *rows, const snn_event *event, const snn_sums *from, snn_sums *to)
{
    add_codes(rows, event, from, to, 4u);
}

void snn_add_rows_2(const void *rows, const snn_event *event, const snn_sums *from, snn_sums *to)
{
    add_codes(rows, event, from, to, 2u);
}

static void decode(const snn_sums *from, snn_sums *to, uint32_t code_offset, const uint8_t *shift)
{
    const uint32_t offset = code_offset * from->count;
    uint32_t k;

    for (k = 0; k < SNN_PAIRS; k++) {
        to->pair[k] = snn_scaled(from->pair[k], offset, shift + 2u * k);
    }
}

void snn_codes_4(const snn_sums *from, snn_sums *to, const uint8_t *shift)
{
    decode(from, to, 8u, shift);
}

void snn_codes_2(const snn_sums *from, snn_sums *to, const uint8_t *shift)
{
    decode(from, to, 2u, shift);
}

#endif
