/**
 * @file harness.c
 * Firmware around the kernels: whoever runs it writes a call, and what it is called with, into memory.
 */
#include "snn.h"

typedef void (*kernel)(uint32_t one, uint32_t two, uint32_t three);

/** The call that is made next; a kernel takes as many of the arguments as it has parameters. */
volatile struct {
    kernel function;
    uint32_t arguments[3];
} harness_call;

extern uint32_t _stack_top[];

/** Entered before each call. */
__attribute__((noinline)) void spikenas_idle(void)
{
    __asm__ volatile("" ::: "memory");
}

static void fault(void)
{
    for (;;) {
    }
}

void Reset_Handler(void)
{
    for (;;) {
        spikenas_idle();
        harness_call.function(harness_call.arguments[0], harness_call.arguments[1], harness_call.arguments[2]);
    }
}

/** Of the core, and what the linker shall keep. */
__attribute__((section(".vectors"), used)) static const struct {
    uint32_t *stack_top;
    void (*handlers[15])(void);
    const void *kernels[17];
} vectors = {
    _stack_top,
    {Reset_Handler, fault, fault, fault, fault, fault, 0, 0, 0, 0, fault, fault, 0, fault, fault},
    {snn_pixel, snn_frames, snn_spike_8, snn_spike_4, snn_spike_2, snn_pass, snn_or_pool, snn_head, snn_packed_head,
     snn_pixel_step, snn_spike_8_step, snn_spike_4_step, snn_spike_2_step, snn_pass_step,
     snn_count_step, snn_head_step, snn_packed_head_step},
};

/* Compilers may call these two whatever the source says. */
void *memcpy(void *restrict to, const void *restrict from, __SIZE_TYPE__ size)
{
    uint8_t *target = to;
    const uint8_t *source = from;

    while (size--) {
        *target++ = *source++;
    }
    return to;
}

void *memset(void *to, int value, __SIZE_TYPE__ size)
{
    uint8_t *target = to;

    while (size--) {
        *target++ = (uint8_t)value;
    }
    return to;
}
