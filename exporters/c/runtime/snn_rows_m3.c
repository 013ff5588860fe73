/**
 * @file snn_rows_m3.c
 * The weights of neurons that fired, added up with the instructions of a Cortex-M3, which has no packed arithmetic.
 *
 * As in snn_rows.c, in assembly, because no compiler keeps the eight sums and all the rest in registers.
 */
#include "snn_asm.h"
#include "snn_spike.h"

#if SNN_THUMB2

/* A word of a row, to sums of whole words and of odd bytes. */
#define WORD(word, all, odd)                                                                                           \
    "    eor " word ", " word ", #0x80808080\n"                                                                        \
    "    add " all ", " all ", " word "\n"                                                                             \
    "    and " word ", r0, " word ", lsr #8\n"                                                                         \
    "    add " odd ", " odd ", " word "\n"

/* Sums of whole words and of odd bytes, and the next two pairs at r2, make two pairs at r3. */
#define FINISH(all, odd)                                                                                               \
    "    sub " all ", " all ", " odd ", lsl #8\n"                                                                      \
    "    subs " all ", " all ", r1\n"                                                                                  \
    "    subs " odd ", " odd ", r1\n"                                                                                  \
    "    ldrd r0, r12, [r2], #8\n"                                                                                     \
    "    eor r0, r0, #0x80008000\n"                                                                                    \
    "    eor r12, r12, #0x80008000\n"                                                                                  \
    "    add " all ", " all ", r0\n"                                                                                   \
    "    add " odd ", " odd ", r12\n"                                                                                  \
    "    eor " all ", " all ", #0x80008000\n"                                                                          \
    "    eor " odd ", " odd ", #0x80008000\n"                                                                          \
    "    strd " all ", " odd ", [r3], #8\n"

/* r0: odd bytes, r1: rows added, r2: spikes left, r3: row, r12 and lr: words of the row; r0 to r3 are on the stack. */
SNN_FUNCTION("snn_add_rows_8",
         "    push {r0-r11, lr}\n"
         "    mov r0, #0x00FF00FF\n"
         "    movs r1, #0\n"
         "    movs r4, #0\n"
         "    movs r5, #0\n"
         "    movs r6, #0\n"
         "    movs r7, #0\n"
         "    mov r8, #0\n"
         "    mov r9, #0\n"
         "    mov r10, #0\n"
         "    mov r11, #0\n"
         "    b 2f\n"
         "1:  clz r12, r2\n"
         "    adds r1, r1, #1\n"
         "    sub r3, r3, r12, lsl #4\n"
         "    lsl r2, r2, r12\n"
         "    ldrd r12, lr, [r3, #8]\n" WORD("r12", "r8", "r9") WORD("lr", "r10", "r11")
         "    ldrd r12, lr, [r3], #-16\n" WORD("r12", "r4", "r5") WORD("lr", "r6", "r7")
         "    lsls r2, r2, #1\n"
         "    bne 1b\n"
         "2:  ldrd lr, r12, [sp]\n"
         "    ldrd r2, r3, [r12], #8\n"
         "    str r12, [sp, #4]\n"
         "    add r3, lr, r3, lsl #4\n"
         "    cmp r2, #0\n"
         "    bne 1b\n"
         "    ldrd r2, r3, [sp, #8]\n"
         "    lsls r1, r1, #7\n"
         "    add r1, r1, r1, lsl #16\n"
         FINISH("r4", "r5") FINISH("r6", "r7") FINISH("r8", "r9") FINISH("r10", "r11")
         "    add sp, #16\n"
         "    pop {r4-r11, pc}\n");

#endif
