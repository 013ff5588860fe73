/* A firmware that flies nothing: it classifies an image for ever. */
#include <stdint.h>

#ifdef WITH_NETWORK
#include "net.h"
static uint8_t image[NET_IMAGE_BYTES];
static int32_t scores[16];
#endif

const uint8_t padding[PADDING + 1] = {1};
static volatile uint32_t counter = 7;

void Reset_Handler(void);
extern uint32_t stack_top[];

__attribute__((section(".vectors"), used)) static const void *const vectors[2] = {stack_top, (const void *)Reset_Handler};

void *memset(void *to, int value, uint32_t size)
{
    for (uint8_t *at = to; size--; ++at) {
        *at = (uint8_t)value;
    }
    return to;
}

void *memcpy(void *to, const void *from, uint32_t size)
{
    const uint8_t *source = from;
    for (uint8_t *at = to; size--; ++at) {
        *at = *source++;
    }
    return to;
}

void Reset_Handler(void)
{
    for (;;) {
        counter += padding[counter % (PADDING + 1)];
#ifdef WITH_NETWORK
        net_infer(image, scores);
        counter += (uint32_t)scores[0];
#endif
    }
}
