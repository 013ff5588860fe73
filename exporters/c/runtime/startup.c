/**
 * @file startup.c
 * Vector table and reset of every Cortex-M. The image has no initialized data and nothing that must begin as zero
 * (link.ld makes sure of it), so there is nothing to copy, unless the board's profile wants weights in a faster memory
 * (SPIKENAS_COPIES). Interrupts stay disabled, so 16 vectors are enough.
 */
#include <stddef.h>
#include <stdint.h>

extern uint32_t _stack_limit[], _stack_top[];

void Reset_Handler(void);
void spikenas_fault(void);
void spikenas_main(void);
void *memcpy(void *restrict to, const void *restrict from, size_t size);
void *memset(void *to, int value, size_t size);

/** Every exception ends here, where a debugger or an emulator finds it. */
void spikenas_fault(void)
{
    for (;;) {
        __asm__ volatile("");
    }
}

/** Paint the stack, so that its high-water mark can be read later, copy weights, and run; the stack is not used. */
__attribute__((naked, noreturn)) void Reset_Handler(void)
{
    __asm__ volatile(
        ".syntax unified\n"
        "ldr r0, =_stack_limit\n"
        "ldr r1, =_stack_top\n"
        "ldr r2, =0xC5C5C5C5\n"
        "mov sp, r1\n"
        "1:\n"
        "str r2, [r0]\n"
        "adds r0, #4\n"
        "cmp r0, r1\n"
        "bne 1b\n"
#ifdef SPIKENAS_COPIES
        "ldr r0, =_copies_start\n"
        "ldr r1, =_copies_end\n"
        "ldr r2, =_copies_load\n"
        "2:\n"
        "ldr r3, [r2]\n"
        "str r3, [r0]\n"
        "adds r2, #4\n"
        "adds r0, #4\n"
        "cmp r0, r1\n"
        "bne 2b\n"
#endif
        "bl spikenas_main\n"
        "bl spikenas_fault\n"
        ".ltorg\n");
}

typedef void (*handler)(void);

/** Initial stack pointer and the handlers of the core's own exceptions. */
__attribute__((section(".vectors"), used)) static const struct {
    uint32_t *stack_top;
    handler handlers[15];
} vectors = {
    _stack_top,
    {Reset_Handler, spikenas_fault, spikenas_fault, spikenas_fault, spikenas_fault, spikenas_fault, 0, 0, 0, 0,
     spikenas_fault, spikenas_fault, 0, spikenas_fault, spikenas_fault},
};

/* Compilers may call these two whatever the source says; a C library's own take precedence. */
__attribute__((weak)) void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
    uint8_t *target = to;
    const uint8_t *source = from;

    while (size--) {
        *target++ = *source++;
    }
    return to;
}

__attribute__((weak)) void *memset(void *to, int value, size_t size)
{
    uint8_t *target = to;

    while (size--) {
        *target++ = (uint8_t)value;
    }
    return to;
}
