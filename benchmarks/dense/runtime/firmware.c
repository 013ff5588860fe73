/**
 * @file firmware.c
 * Main loop around a dense network, with the mailbox of the spiking firmware, whose startup.c calls it.
 */
#include "net.h"

#define MAGIC 0x4E4B5053u

struct mailbox {
    volatile uint32_t magic, command, status, self_test;
    DENSE_ALIGNED uint8_t image[(NET_IMAGE_BYTES + 3u) & ~3u];
    int32_t scores[NET_CLASSES];
};

struct mailbox spikenas_mailbox;

void spikenas_idle(void);
void spikenas_main(void);

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
