/**
 * @file snn_neurons_dsp.c
 * Leaky integrate-and-fire neurons with the DSP instructions: two neurons an instruction.
 */
#include "snn_asm.h"
#include "snn_pairs.h"

#include <stddef.h>

#if SNN_DSP

/* Offsets that the assembly below names. */
SNN_ASSERT(bias, offsetof(snn_neurons, bias) == 0);
SNN_ASSERT(threshold, offsetof(snn_neurons, threshold) == 4);
SNN_ASSERT(leak_shift, offsetof(snn_neurons, leak_shift) == 20);
SNN_ASSERT(reset_to_zero, offsetof(snn_neurons, reset_to_zero) == 21);

/*
 * One time step of the 16 neurons of a block, whose last two pairs are `last` bytes behind the first neuron's of the
 * layer. One function for each thing that may become of the potentials before the current is added.
 */
uint32_t snn_fire_first(const snn_neurons *neurons, uint32_t last, snn_pair *potential, const snn_sums *current);
uint32_t snn_fire_kept(const snn_neurons *neurons, uint32_t last, snn_pair *potential, const snn_sums *current);
uint32_t snn_fire_subtracted(const snn_neurons *neurons, uint32_t last, snn_pair *potential, const snn_sums *current);
uint32_t snn_fire_shifted(const snn_neurons *neurons, uint32_t last, snn_pair *potential, const snn_sums *current);

/*
 * Two pairs at a time, the last ones first. r0: bias, r1: threshold, r2: potential, r3: current; r4: ones, r5: zero,
 * r6: what a reset leaves of u - threshold, r7: shift of the leak; r8: spikes so far, above them a bit that falls out
 * when all pairs are done; r9 and r10: potentials of the two pairs. Where u - threshold is not negative, SEL takes its
 * first operand.
 */
#define FIRE(decay)                                                                                                    \
    "    push {r4-r11, lr}\n"                                                                                          \
    "    ldrb r7, [r0, #20]\n"                                                                                         \
    "    ldrb r6, [r0, #21]\n"                                                                                         \
    "    ldr r4, [r0, #4]\n"                                                                                           \
    "    ldr r0, [r0]\n"                                                                                               \
    "    subs r6, r6, #1\n"                                                                                            \
    "    add r0, r0, r1\n"                                                                                             \
    "    add r1, r4, r1\n"                                                                                             \
    "    adds r2, r2, #24\n"                                                                                           \
    "    adds r3, r3, #24\n"                                                                                           \
    "    mov r4, #0x00010001\n"                                                                                        \
    "    movs r5, #0\n"                                                                                                \
    "    mov r8, #0x01000000\n"                                                                                        \
    "1:  ldrd r9, r10, [r0], #-8\n"                                                                                    \
    "    ldrd r11, r12, [r3], #-8\n"                                                                                   \
    "    sadd16 r9, r9, r11\n"                                                                                         \
    "    sadd16 r10, r10, r12\n" decay                                                                                 \
    "    ldrd r11, r12, [r1], #-8\n"                                                                                   \
    "    ssub16 lr, r10, r12\n"                                                                                        \
    "    sel r12, r4, r5\n"                                                                                            \
    "    and lr, lr, r6\n"                                                                                             \
    "    sel r10, lr, r10\n"                                                                                           \
    "    orr r8, r12, r8, lsl #1\n"                                                                                    \
    "    ssub16 lr, r9, r11\n"                                                                                         \
    "    sel r11, r4, r5\n"                                                                                            \
    "    and lr, lr, r6\n"                                                                                             \
    "    sel r9, lr, r9\n"                                                                                             \
    "    strd r9, r10, [r2], #-8\n"                                                                                    \
    "    orrs r8, r11, r8, lsl #1\n"                                                                                   \
    "    bcc 1b\n"                                                                                                     \
    "    orr r0, r8, r8, lsr #8\n"                                                                                     \
    "    uxth r0, r0\n"                                                                                                \
    "    pop {r4-r11, pc}\n"

#define LOAD "    ldrd r11, r12, [r2]\n"

#define ADD                                                                                                            \
    "    sadd16 r9, r9, r11\n"                                                                                         \
    "    sadd16 r10, r10, r12\n"

/* lr = floor(pair / 2^shift), half by half. */
#define HALVE(pair)                                                                                                    \
    "    sxth lr, " pair "\n"                                                                                          \
    "    asr lr, lr, r7\n"                                                                                             \
    "    asr r5, " pair ", r7\n"                                                                                       \
    "    pkhbt lr, lr, r5\n"

#define SUBTRACT(pair) HALVE(pair) "    ssub16 " pair ", " pair ", lr\n"

#define SHIFT(pair) HALVE(pair) "    mov " pair ", lr\n"

#define ZERO "    movs r5, #0\n"

SNN_FUNCTION("snn_fire_first", FIRE(""));
SNN_FUNCTION("snn_fire_kept", FIRE(LOAD ADD));
SNN_FUNCTION("snn_fire_subtracted", FIRE(LOAD SUBTRACT("r11") SUBTRACT("r12") ADD ZERO));
SNN_FUNCTION("snn_fire_shifted", FIRE(LOAD SHIFT("r11") SHIFT("r12") ADD ZERO));

uint32_t snn_fire(const snn_neurons *neurons, uint32_t block, uint32_t t, snn_pair *potential,
                  const snn_sums *current)
{
    const uint32_t last = (block * SNN_PAIRS + SNN_PAIRS - 2u) * sizeof(snn_pair);

    if (t == 0) {
        return snn_fire_first(neurons, last, potential, current);
    }
    if (neurons->leak == SNN_LEAK_SUBTRACT) {
        return snn_fire_subtracted(neurons, last, potential, current);
    }
    if (neurons->leak == SNN_LEAK_SHIFT) {
        return snn_fire_shifted(neurons, last, potential, current);
    }
    return snn_fire_kept(neurons, last, potential, current);
}
#endif
