/*
 * The dense kernel for cores with the DSP extension: two output channels times two pixels, four taps at a time.
 *
 * A column has, for four taps, a word of the first pixel's taps 0 and 2, one of its taps 1 and 3, and the same two of
 * the second pixel: the order in which SXTB16 takes weights apart. 14 instructions for 16 products, 58 for 64 with the
 * loop.
 */
#if defined(__ARM_FEATURE_SIMD32) || defined(__ARM_FEATURE_DSP)

    .syntax unified
    .thumb
    .text

    .macro FOUR_TAPS
    ldm r2!, {r8-r11}
    ldrd r1, r12, [r0], #8
    sxtb16 lr, r1
    sxtb16 r1, r1, ror #8
    smlad r4, lr, r8, r4
    smlad r5, lr, r10, r5
    smlad r4, r1, r9, r4
    smlad r5, r1, r11, r5
    sxtb16 lr, r12
    sxtb16 r12, r12, ror #8
    smlad r6, lr, r8, r6
    smlad r7, lr, r10, r7
    smlad r6, r12, r9, r6
    smlad r7, r12, r11, r7
    .endm

    .set STEP_BYTES, 14 * 4

/* void dense_multiply(const dense_pixels *pixels) */
    .section .text.dense_multiply, "ax", %progbits
    .align 2
    .global dense_multiply
    .type dense_multiply, %function
    .thumb_func
dense_multiply:
    push {r4-r11, lr}
    sub sp, sp, #36
    /* sp: 0 column, 4 and 8 starts, 12 multipliers, 16 and 20 outputs, 24 channels, 28 where the loop is entered */
    ldmia r0!, {r1, r2, r3}
    mov r12, r1
    str r2, [sp]
    ldmia r0!, {r4-r10}
    add r11, sp, #4
    stmia r11!, {r4-r9}
    /* Groups beyond a multiple of four: enter the unrolled loop where as many remain. */
    rsb r4, r10, #0
    and r4, r4, #3
    mov r5, #STEP_BYTES
    mul r4, r4, r5
    adr r5, 3f
    add r4, r4, r5
    orr r4, r4, #1
    str r4, [sp, #28]
    mov r0, r12
2:
    ldrd r8, r9, [sp, #4]
    ldrd r4, r6, [r8], #8
    ldrd r5, r7, [r9], #8
    strd r8, r9, [sp, #4]
    ldr r2, [sp]
    ldr r12, [sp, #28]
    bx r12
    .align 2
3:
    FOUR_TAPS
    FOUR_TAPS
    FOUR_TAPS
    FOUR_TAPS
    cmp r2, r3
    bne 3b
    /* A pair of channels is done: r4, r6 of the first pixel, r5, r7 of the second. */
    ldr r12, [sp, #12]
    ldrd r8, r9, [r12], #8
    str r12, [sp, #12]
    ldrd r10, r11, [sp, #16]
    smmulr r4, r4, r8
    smmulr r6, r6, r9
    smmulr r5, r5, r8
    smmulr r7, r7, r9
    usat r4, #8, r4
    usat r6, #8, r6
    usat r5, #8, r5
    usat r7, #8, r7
    orr r4, r4, r6, lsl #8
    orr r5, r5, r7, lsl #8
    strh r4, [r10], #2
    strh r5, [r11], #2
    strd r10, r11, [sp, #16]
    ldr r12, [sp, #24]
    subs r12, r12, #2
    str r12, [sp, #24]
    bne 2b
    add sp, sp, #36
    pop {r4-r11, pc}
    .size dense_multiply, . - dense_multiply

    .macro WIDEN
    ldr r4, [r1], #4
    ldr r6, [r2], #4
    uxtb16 r5, r4, ror #8
    uxtb16 r4, r4
    uxtb16 r7, r6, ror #8
    uxtb16 r6, r6
    stmia r0!, {r4-r7}
    .endm

/* uint32_t *dense_widen(uint32_t *column, const uint8_t *first, const uint8_t *second, uint32_t groups) */
    .section .text.dense_widen, "ax", %progbits
    .align 2
    .global dense_widen
    .type dense_widen, %function
    .thumb_func
dense_widen:
    push {r4-r7, lr}
    subs r3, r3, #4
    blo 2f
1:
    WIDEN
    WIDEN
    WIDEN
    WIDEN
    subs r3, r3, #4
    bhs 1b
2:
    adds r3, r3, #4
    beq 4f
3:
    WIDEN
    subs r3, r3, #1
    bne 3b
4:
    pop {r4-r7, pc}
    .size dense_widen, . - dense_widen

#endif
