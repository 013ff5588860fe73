/**
 * @file snn_rows_dsp.c
 * The weights of neurons that fired, added up with the DSP instructions: a row of 16 weights in 8 additions.
 *
 * The eight packed pairs of a block stay in r4 to r11 while a list is worked off. Each event is scanned from its
 * highest bit down with CLZ, and the address of the row goes down with it. In assembly, because no compiler keeps the
 * eight sums and all the rest in registers.
 */
#include "snn_asm.h"
#include "snn_spike.h"

#if SNN_DSP

/* r0: rows, r1: next event, r2: sums to start from, then the spikes left; r3: row; r12 and lr: words of the row. */
SNN_FUNCTION("snn_add_rows_8",
         "    push {r3, r4-r11, lr}\n"
         "    ldmia r2, {r4-r11}\n"
         "    ldrd r2, r3, [r1], #8\n"
         "    cmp r2, #0\n"
         "    beq 3f\n"
         "1:  add r3, r0, r3, lsl #4\n"
         "2:  clz r12, r2\n"
         "    sub r3, r3, r12, lsl #4\n"
         "    lsl r2, r2, r12\n"
         "    ldrd r12, lr, [r3, #8]\n"
         "    sxtab16 r8, r8, r12\n"
         "    sxtab16 r9, r9, r12, ror #8\n"
         "    sxtab16 r10, r10, lr\n"
         "    sxtab16 r11, r11, lr, ror #8\n"
         "    ldrd r12, lr, [r3], #-16\n"
         "    sxtab16 r4, r4, r12\n"
         "    sxtab16 r5, r5, r12, ror #8\n"
         "    sxtab16 r6, r6, lr\n"
         "    sxtab16 r7, r7, lr, ror #8\n"
         "    lsls r2, r2, #1\n"
         "    bne 2b\n"
         "    ldrd r2, r3, [r1], #8\n"
         "    cmp r2, #0\n"
         "    bne 1b\n"
         "3:  pop {r2}\n"
         "    stmia r2, {r4-r11}\n"
         "    pop {r4-r11, pc}\n");

/*
 * Codes have an offset, so they are added without sign. Whole bytes are added rather than their lowest codes, whose
 * sums the others' give later: r0 counts rows instead of holding their start, which is on the stack.
 */
#define CODES(row_bits, add)                                                                                           \
    "    push {r0, r3, r4-r11, lr}\n"                                                                                  \
    "    ldr r0, [r2, #32]\n"                                                                                          \
    "    ldmia r2, {r4-r11}\n"                                                                                         \
    "    ldrd r2, r3, [r1], #8\n"                                                                                      \
    "    cmp r2, #0\n"                                                                                                 \
    "    beq 3f\n"                                                                                                     \
    "1:  ldr lr, [sp]\n"                                                                                               \
    "    add r3, lr, r3, lsl #" row_bits "\n"                                                                          \
    "2:  clz r12, r2\n"                                                                                                \
    "    sub r3, r3, r12, lsl #" row_bits "\n"                                                                         \
    "    lsl r2, r2, r12\n" add                                                                                        \
    "    adds r0, r0, #1\n"                                                                                            \
    "    lsls r2, r2, #1\n"                                                                                            \
    "    bne 2b\n"                                                                                                     \
    "    ldrd r2, r3, [r1], #8\n"                                                                                      \
    "    cmp r2, #0\n"                                                                                                 \
    "    bne 1b\n"                                                                                                     \
    "3:  pop {r1, r2}\n"                                                                                               \
    "    stmia r2, {r4-r11}\n"                                                                                         \
    "    str r0, [r2, #32]\n"                                                                                          \
    "    pop {r4-r11, pc}\n"

#define ADD(even, odd, word)                                                                                           \
    "    uxtab16 " even ", " even ", " word "\n"                                                                       \
    "    uxtab16 " odd ", " odd ", " word ", ror #8\n"

#define FIELDS(shift, mask)                                                                                            \
    "    lsr lr, r12, #" shift "\n"                                                                                    \
    "    and lr, lr, #" mask "\n"

SNN_FUNCTION("snn_add_rows_4",
         CODES("3",
               "    ldr r12, [r3, #4]\n" ADD("r8", "r9", "r12") FIELDS("4", "0x0F0F0F0F") ADD("r10", "r11", "lr")
               "    ldr r12, [r3], #-8\n" ADD("r4", "r5", "r12") FIELDS("4", "0x0F0F0F0F") ADD("r6", "r7", "lr")));

SNN_FUNCTION("snn_add_rows_2",
         CODES("2",
               "    ldr r12, [r3], #-4\n" ADD("r4", "r5", "r12") FIELDS("2", "0x3F3F3F3F") ADD("r6", "r7", "lr")
               FIELDS("4", "0x0F0F0F0F") ADD("r8", "r9", "lr") FIELDS("6", "0x03030303") ADD("r10", "r11", "lr")));

/* What is left of the sum of a byte whose higher codes, `bits` up, have the sum `higher`. */
static inline uint32_t lower(uint32_t sum, uint32_t higher, uint32_t bits)
{
    return snn_pair_of(sum - (higher << bits), (sum >> 16) - (higher >> 16 << bits));
}

/* Sums of the bytes of words that hold codes of `words` words of a row, 2 or 4. */
static inline __attribute__((always_inline)) void decode(const snn_sums *from, snn_sums *to, uint32_t words,
                                                         uint32_t bits, const uint8_t *shift)
{
    const uint32_t offset = from->count << (bits - 1u);
    uint32_t k;

    for (k = 0; k < SNN_PAIRS; k++) {
        const uint32_t word = k / 2u % words;
        uint32_t pair = from->pair[k];

        /* Two pairs on are the sums of the same bytes without their lowest codes. */
        if (word + 1u < words) {
            pair = lower(pair, from->pair[k + 2u], bits);
        }
        to->pair[k] = snn_scaled(pair, offset, shift + 2u * k);
    }
}

void snn_codes_4(const snn_sums *from, snn_sums *to, const uint8_t *shift)
{
    decode(from, to, 2u, 4u, shift);
}

void snn_codes_2(const snn_sums *from, snn_sums *to, const uint8_t *shift)
{
    decode(from, to, 4u, 2u, shift);
}

#endif
