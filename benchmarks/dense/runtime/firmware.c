/**
 * @file firmware.c
 * Start-up code and main loop around a dense network, with the mailbox of the spiking firmware.
 */
#include "net.h"

#define MAGIC 0x4E4B5053u

extern uint32_t _stack_limit[], _stack_top[];

struct mailbox {
    volatile uint32_t magic, command, status, self_test;
    DENSE_ALIGNED uint8_t image[(NET_IMAGE_BYTES + 3u) & ~3u];
    int32_t scores[NET_CLASSES];
};

struct mailbox spikenas_mailbox;

void Reset_Handler(void);
void spikenas_fault(void);
void spikenas_idle(void);
void spikenas_main(void);

void spikenas_fault(void)
{
    for (;;) {
        __asm__ volatile("");
    }
}

__attribute__((noinline)) void spikenas_idle(void)
{
    __asm__ volatile("" ::: "memory");
}

void spikenas_main(void)
{
    struct mailbox *const mail = &spikenas_mailbox;
    uint32_t k;

    mail->command = 0;
    mail->magic = MAGIC;
    mail->self_test = 1;
    net_infer(net_known_image, mail->scores);
    for (k = 0; k < NET_CLASSES; k++) {
        if (mail->scores[k] != net_known_scores[k]) {
            mail->self_test = 2;
        }
    }
    mail->status = 1;
    for (;;) {
        if (mail->command == 1) {
            mail->status = 1;
            net_infer(mail->image, mail->scores);
            mail->command = 0;
            mail->status = 2;
        } else {
            spikenas_idle();
        }
    }
}

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
        "bl spikenas_main\n"
        "bl spikenas_fault\n"
        ".ltorg\n");
}

typedef void (*handler)(void);

__attribute__((section(".vectors"), used)) static const struct {
    uint32_t *stack_top;
    handler handlers[15];
} vectors = {
    _stack_top,
    {Reset_Handler, spikenas_fault, spikenas_fault, spikenas_fault, spikenas_fault, spikenas_fault, 0, 0, 0, 0,
     spikenas_fault, spikenas_fault, 0, spikenas_fault, spikenas_fault},
};
