/*
 * Sums of products for cores without the DSP extension. A column has a word a tap: the first pixel in its low half, the
 * second in its high half.
 */
#if !defined(__ARM_FEATURE_SIMD32) && !defined(__ARM_FEATURE_DSP)

    .syntax unified
    .thumb

#if defined(__ARM_ARCH_6M__)

    /* One tap: r0 weights, r1 column, r2 the pixels, r3 scratch; r4 and r6 sums of whole products, r5 and r7 of their
       upper halves. Weights are 0 to 255, so that the product with the lower pixel stays below 2^16. */
    .macro TAP index
    ldr r2, [r1, #4 * \index]
    ldrb r3, [r0, #2 * \index]
    muls r3, r2, r3
    adds r4, r4, r3
    lsrs r3, r3, #16
    adds r5, r5, r3
    ldrb r3, [r0, #2 * \index + 1]
    muls r3, r2, r3
    adds r6, r6, r3
    lsrs r3, r3, #16
    adds r7, r7, r3
    .endm

/* void dense_two(const uint8_t *weights, const uint32_t *column, const uint32_t *end, uint32_t *sums): two channels times
   two pixels, 46 instructions for 16 products. sums: of channel 0 those of the whole and of the upper halves, then of 1. */
    .section .text.dense_two, "ax", %progbits
    .align 2
    .global dense_two
    .type dense_two, %function
    .thumb_func
dense_two:
    push {r4-r7, lr}
    mov r4, r8
    push {r3, r4}
    mov r8, r2
    movs r4, #0
    movs r5, #0
    movs r6, #0
    movs r7, #0
    subs r2, r2, r1
    lsls r2, r2, #27
    bpl 2f
    /* An odd number of groups of four taps. */
    TAP 0
    TAP 1
    TAP 2
    TAP 3
    adds r0, #8
    adds r1, #16
    cmp r1, r8
    beq 3f
2:
    TAP 0
    TAP 1
    TAP 2
    TAP 3
    TAP 4
    TAP 5
    TAP 6
    TAP 7
    adds r0, #16
    adds r1, #32
    cmp r1, r8
    bne 2b
3:
    pop {r2, r3}
    mov r8, r3
    stmia r2!, {r4-r7}
    pop {r4-r7, pc}
    .size dense_two, . - dense_two

#else

    .macro TAP
    ldrh r12, [r1], #2
    ldrh lr, [r1], #2
    ldrsb r3, [r0], #1
    mla r4, r3, r12, r4
    mla r5, r3, lr, r5
    ldrsb r3, [r0], #1
    mla r6, r3, r12, r6
    mla r7, r3, lr, r7
    ldrsb r3, [r0], #1
    mla r8, r3, r12, r8
    mla r9, r3, lr, r9
    ldrsb r3, [r0], #1
    mla r10, r3, r12, r10
    mla r11, r3, lr, r11
    .endm

/* void dense_four(const int8_t *weights, const uint32_t *column, const uint32_t *end, int32_t *sums): four channels times
   two pixels, added to sums, [channel][pixel]; 58 instructions for 32 products. A long product would have two
   accumulators in one (UMLAL), but takes more cycles than two short ones (Cortex-M3 TRM, 3.3.1). */
    .section .text.dense_four, "ax", %progbits
    .align 2
    .global dense_four
    .type dense_four, %function
    .thumb_func
dense_four:
    push {r3-r11, lr}
    ldm r3, {r4-r11}
1:
    TAP
    TAP
    TAP
    TAP
    cmp r1, r2
    bne 1b
    ldr r3, [sp]
    stm r3, {r4-r11}
    pop {r3-r11, pc}
    .size dense_four, . - dense_four

#endif
#endif
