/**
 * @file snn_cycles.c
 * The cycle counter of the core: of Arm's in memory (Armv7-M and Armv8-M Architecture Reference Manuals, "DWT" and
 * "Debug Exception and Monitor Control Register"), of the others' in a register.
 */
#include "snn_cycles.h"

#if !SNN_HAS_CYCLES

uint32_t snn_cycles(void)
{
    return 0;
}

#elif defined(__XTENSA__)

uint32_t snn_cycles(void)
{
    uint32_t count;

    __asm__ volatile("rsr %0, ccount" : "=a"(count));
    return count;
}

#elif defined(__riscv)

uint32_t snn_cycles(void)
{
    uint32_t count;

    /* csrr count, mcycle (0xb00): in numbers, since not every assembler knows of Zicsr that the core has it. */
    __asm__ volatile(".insn i 0x73, 2, %0, x0, -1280" : "=r"(count));
    return count;
}

#else

#define REGISTER(address) (*(volatile uint32_t *)(address))
#define DEMCR REGISTER(0xE000EDFCu)
#define DEMCR_TRCENA (1u << 24)
#define DWT_CTRL REGISTER(0xE0001000u)
#define DWT_CTRL_CYCCNTENA 1u
#define DWT_CYCCNT REGISTER(0xE0001004u)
#define DWT_LAR REGISTER(0xE0001FB0u)
#define DWT_LAR_UNLOCK 0xC5ACCE55u

uint32_t snn_cycles(void)
{
    /* The DWT's registers do not answer while trace is off. */
    if (!(DEMCR & DEMCR_TRCENA)) {
        DEMCR |= DEMCR_TRCENA;
    }
    if (!(DWT_CTRL & DWT_CTRL_CYCCNTENA)) {
        /* An M7 ignores writes until its lock is opened; where there is no lock, this write is ignored. */
        DWT_LAR = DWT_LAR_UNLOCK;
        DWT_CTRL |= DWT_CTRL_CYCCNTENA;
    }
    return DWT_CYCCNT;
}

#endif
