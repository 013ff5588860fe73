/**
 * @file snn_rows_m0.c
 * The weights of neurons that fired, added up with the instructions of a Cortex-M0+.
 *
 * In assembly, because the core computes in eight registers only, and adds to the others. Weights of 8 bits are added
 * up as in snn_rows.c, those of fewer byte by byte.
 */
#include "snn_asm.h"
#include "snn_spike.h"

#if SNN_THUMB1

/*
 * Without an instruction that counts zeros: a lone bit times this constant has a number of its own for each position of
 * the bit in its top five bits, for which the table tells how many rows before the last one the neuron's lies.
 */
#define POSITIONS                                                                                                      \
    "    .balign 4\n"                                                                                                  \
    "8:  .word 0x077CB531\n"                                                                                           \
    "9:  .byte 31, 30, 3, 29, 2, 17, 7, 28, 1, 9, 11, 16, 6, 14, 27, 23\n"                                             \
    "    .byte 0, 4, 18, 8, 10, 12, 15, 24, 5, 19, 13, 25, 20, 26, 21, 22\n"

/* The stack holds r0 to r3 of the call, then the address of the event's last row, then what is restored. */
#define ENTER                                                                                                          \
    "    push {r4-r7, lr}\n"                                                                                           \
    "    mov r4, r8\n"                                                                                                 \
    "    mov r5, r9\n"                                                                                                 \
    "    mov r6, r10\n"                                                                                                \
    "    mov r7, r11\n"                                                                                                \
    "    push {r4-r7}\n"                                                                                               \
    "    push {r0-r4}\n"

#define LEAVE                                                                                                          \
    "    add sp, #20\n"                                                                                                \
    "    pop {r4-r7}\n"                                                                                                \
    "    mov r8, r4\n"                                                                                                 \
    "    mov r9, r5\n"                                                                                                 \
    "    mov r10, r6\n"                                                                                                \
    "    mov r11, r7\n"                                                                                                \
    "    pop {r4-r7, pc}\n"

/* r1: spikes of the next event, r4: their negative; the flags tell whether there are none. */
#define NEXT(row_bits)                                                                                                 \
    "    ldr r0, [sp, #4]\n"                                                                                           \
    "    ldmia r0!, {r1, r4}\n"                                                                                        \
    "    str r0, [sp, #4]\n"                                                                                           \
    "    lsls r4, r4, #" row_bits "\n"                                                                                 \
    "    ldr r0, [sp]\n"                                                                                               \
    "    adds r4, r4, r0\n"                                                                                            \
    "    str r4, [sp, #16]\n"                                                                                          \
    "    rsbs r4, r1, #0\n"

/* r0: the row of the lowest of the spikes, which is taken from them. */
#define ROW(row_bits)                                                                                                  \
    "    ands r4, r4, r1\n"                                                                                            \
    "    eors r1, r1, r4\n"                                                                                            \
    "    ldr r0, 8f\n"                                                                                                 \
    "    muls r4, r0, r4\n"                                                                                            \
    "    lsrs r4, r4, #27\n"                                                                                           \
    "    adr r0, 9f\n"                                                                                                 \
    "    ldrb r4, [r0, r4]\n"                                                                                          \
    "    lsls r4, r4, #" row_bits "\n"                                                                                 \
    "    ldr r0, [sp, #16]\n"                                                                                          \
    "    subs r0, r0, r4\n"

/* A word of a row, to sums of whole words and of odd bytes. */
#define WORD(all, odd)                                                                                                 \
    "    ldmia r0!, {r4}\n"                                                                                            \
    "    eors r4, r4, r3\n"                                                                                            \
    "    add " all ", " all ", r4\n"                                                                                   \
    "    lsrs r4, r4, #8\n"                                                                                            \
    "    ands r4, r4, r2\n"                                                                                            \
    "    add " odd ", " odd ", r4\n"

/* r6 and r7, sums of whole words and of odd bytes, and the next two pairs at r2 make two pairs at r3. */
#define FINISH                                                                                                         \
    "    lsls r4, r7, #8\n"                                                                                            \
    "    subs r6, r6, r4\n"                                                                                            \
    "    subs r6, r6, r5\n"                                                                                            \
    "    subs r7, r7, r5\n"                                                                                            \
    "    ldmia r2!, {r0, r4}\n"                                                                                        \
    "    eors r0, r0, r1\n"                                                                                            \
    "    eors r4, r4, r1\n"                                                                                            \
    "    adds r0, r0, r6\n"                                                                                            \
    "    adds r4, r4, r7\n"                                                                                            \
    "    eors r0, r0, r1\n"                                                                                            \
    "    eors r4, r4, r1\n"                                                                                            \
    "    stmia r3!, {r0, r4}\n"

#define FINISH_HIGH(all, odd)                                                                                          \
    "    mov r6, " all "\n"                                                                                            \
    "    mov r7, " odd "\n" FINISH

/* r2: odd bytes, r3: sign bits, r5: rows added. */
SNN_FUNCTION("snn_add_rows_8",
         ENTER
         "    movs r6, #0\n"
         "    movs r7, #0\n"
         "    mov r8, r6\n"
         "    mov r9, r6\n"
         "    mov r10, r6\n"
         "    mov r11, r6\n"
         "    mov r12, r6\n"
         "    mov lr, r6\n"
         "    ldr r2, 6f\n"
         "    ldr r3, 7f\n"
         "    movs r5, #0\n"
         "    b 2f\n"
         "1:  adds r5, r5, #1\n" ROW("4")
         WORD("r6", "r7") WORD("r8", "r9") WORD("r10", "r11") WORD("r12", "lr")
         "    rsbs r4, r1, #0\n"
         "    bne 1b\n"
         "2:  " NEXT("4")
         "    bne 1b\n"
         "    ldr r2, [sp, #8]\n"
         "    ldr r3, [sp, #12]\n"
         "    ldr r1, 5f\n"
         "    lsls r5, r5, #7\n"
         "    lsls r4, r5, #16\n"
         "    adds r5, r5, r4\n"
         FINISH FINISH_HIGH("r8", "r9") FINISH_HIGH("r10", "r11") FINISH_HIGH("r12", "lr") LEAVE
         "    .balign 4\n"
         "5:  .word 0x80008000\n"
         "6:  .word 0x00FF00FF\n"
         "7:  .word 0x80808080\n" POSITIONS);

/* Sums of bytes, those at even places and those at odd ones, to the sums at r0. */
#define FLUSH(bytes, even, odd)                                                                                        \
    "    mov r4, " bytes "\n"                                                                                          \
    "    lsrs r5, r4, #8\n"                                                                                            \
    "    ands r4, r4, r2\n"                                                                                            \
    "    ands r5, r5, r2\n"                                                                                            \
    "    ldr r6, [r0, #" even "]\n"                                                                                    \
    "    adds r4, r4, r6\n"                                                                                            \
    "    str r4, [r0, #" even "]\n"                                                                                    \
    "    ldr r6, [r0, #" odd "]\n"                                                                                     \
    "    adds r5, r5, r6\n"                                                                                            \
    "    str r5, [r0, #" odd "]\n"

/*
 * Codes are added up byte by byte in r6, r7, r8 and r9, until after so many rows a byte might overflow; those sums are
 * then added to the ones at r2 of the call. r2: the lowest code of each byte, r3: rows until then, r5: a word or part
 * of it, r10: rows before.
 */
#define CODES(row_bits, lowest, rows, add)                                                                             \
    ENTER                                                                                                              \
    "    movs r1, #0\n"                                                                                                \
    "    mov r10, r1\n"                                                                                                \
    "    b 5f\n"                                                                                                       \
    "1:  " ROW(row_bits) add                                                                                           \
    "    subs r3, r3, #1\n"                                                                                            \
    "    beq 4f\n"                                                                                                     \
    "2:  rsbs r4, r1, #0\n"                                                                                            \
    "    bne 1b\n"                                                                                                     \
    "3:  " NEXT(row_bits)                                                                                              \
    "    bne 1b\n"                                                                                                     \
    "4:  ldr r0, [sp, #8]\n"                                                                                           \
    "    ldr r2, 7f\n" FLUSH("r6", "0", "4") FLUSH("r7", "8", "12")                                                    \
    FLUSH("r8", "16", "20") FLUSH("r9", "24", "28")                                                                    \
    "    movs r4, #" rows "\n"                                                                                         \
    "    subs r4, r4, r3\n"                                                                                            \
    "    add r10, r4\n"                                                                                                \
    "    cmp r3, #0\n"                                                                                                 \
    "    bne 6f\n"                                                                                                     \
    "5:  movs r6, #0\n"                                                                                                \
    "    movs r7, #0\n"                                                                                                \
    "    mov r8, r6\n"                                                                                                 \
    "    mov r9, r6\n"                                                                                                 \
    "    ldr r2, 0f\n"                                                                                                 \
    "    movs r3, #" rows "\n"                                                                                         \
    "    b 2b\n"                                                                                                       \
    "6:  mov r0, r10\n" LEAVE                                                                                          \
    "    .balign 4\n"                                                                                                  \
    "0:  .word " lowest "\n"                                                                                           \
    "7:  .word 0x00FF00FF\n" POSITIONS

SNN_FUNCTION("snn_sum_codes_4",
         CODES("3", "0x0F0F0F0F", "17",
               "    ldmia r0!, {r4}\n"
               "    lsrs r5, r4, #4\n"
               "    ands r4, r4, r2\n"
               "    ands r5, r5, r2\n"
               "    adds r6, r6, r4\n"
               "    adds r7, r7, r5\n"
               "    ldr r4, [r0]\n"
               "    lsrs r5, r4, #4\n"
               "    ands r4, r4, r2\n"
               "    ands r5, r5, r2\n"
               "    add r8, r8, r4\n"
               "    add r9, r9, r5\n"));

SNN_FUNCTION("snn_sum_codes_2",
         CODES("2", "0x03030303", "85",
               "    ldr r4, [r0]\n"
               "    lsrs r5, r4, #2\n"
               "    ands r5, r5, r2\n"
               "    adds r7, r7, r5\n"
               "    lsrs r5, r4, #4\n"
               "    ands r5, r5, r2\n"
               "    add r8, r8, r5\n"
               "    lsrs r5, r4, #6\n"
               "    ands r5, r5, r2\n"
               "    add r9, r9, r5\n"
               "    ands r4, r4, r2\n"
               "    adds r6, r6, r4\n"));

/* Add the codes of the rows on a list, without their offset, to sums as numbers; returns how many rows there were. */
typedef uint32_t sum_codes(const void *rows, const snn_event *event, snn_pair *sums);
sum_codes snn_sum_codes_4;
sum_codes snn_sum_codes_2;

static inline void add_codes(sum_codes *sum, uint32_t offset, const void *rows, const snn_event *event,
                             const snn_sums *from, snn_sums *to)
{
    uint32_t k, less;

    for (k = 0; k < SNN_PAIRS; k++) {
        to->pair[k] = from->pair[k] ^ SNN_SIGNS;
    }
    less = sum(rows, event, to->pair) * offset * SNN_ONES;
    for (k = 0; k < SNN_PAIRS; k++) {
        to->pair[k] = (to->pair[k] - less) ^ SNN_SIGNS;
    }
}

void snn_add_rows_4(const void *rows, const snn_event *event, const snn_sums *from, snn_sums *to)
{
    add_codes(snn_sum_codes_4, 8u, rows, event, from, to);
}

void snn_add_rows_2(const void *rows, const snn_event *event, const snn_sums *from, snn_sums *to)
{
    add_codes(snn_sum_codes_2, 2u, rows, event, from, to);
}

#endif
