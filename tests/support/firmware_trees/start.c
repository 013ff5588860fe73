/* From reset to stand_in_main, as the start-up code of a Cortex-M with an FPU does it. */
#include <stdint.h>

extern uint32_t stack_top[], data_load[], data_start[], data_end[], bss_start[], bss_end[];

void Reset_Handler(void);
void stand_in_main(void);

__attribute__((section(".isr_vector"), used)) static const void *const vectors[2] = {stack_top, (const void *)Reset_Handler};

void Reset_Handler(void)
{
    volatile uint32_t *const access = (volatile uint32_t *)0xE000ED88u; /* CPACR: the FPU is switched on */
    const uint32_t *from = data_load;
    uint32_t *to;

    *access |= 0xFu << 20;
    for (to = data_start; to < data_end;) {
        *to++ = *from++;
    }
    for (to = bss_start; to < bss_end;) {
        *to++ = 0;
    }
    stand_in_main();
}
