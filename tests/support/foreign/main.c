/* A stranger's firmware around an exported network: variables with initial values, a function in RAM, buffers. */
#include <stdint.h>

/* Compilers may call it for a struct that is cleared; other firmware has it from its C library. */
void *memset(void *to, int byte, unsigned int count);
void *memset(void *to, int byte, unsigned int count)
{
    unsigned char *next = to;

    while (count--) {
        *next++ = (unsigned char)byte;
    }
    return to;
}

int32_t gains[5] = {1, 2, 3, 4, 5};
uint8_t queue[700];
const uint16_t table[100] = {3};

__attribute__((section(".ramfunc"), noinline)) int fast(int x) { return x * gains[x & 3]; }

#ifdef GROWN
const uint8_t feature[GROWN] = {1};
#endif

void net_infer(const uint8_t *image, int32_t *scores);
extern uint32_t _sidata, _sdata, _edata, _sbss, _ebss;
static int32_t scores[10];
static uint8_t image[64];

int main(void)
{
    for (;;) {
        net_infer(image, scores);
        queue[scores[0] & 255] += fast(scores[1]) + table[image[0] % 100];
#ifdef GROWN
        queue[0] += feature[(uint32_t)scores[2] % GROWN];
#endif
    }
}

void reset(void)
{
    for (uint32_t *from = &_sidata, *to = &_sdata; to < &_edata;)
        *to++ = *from++;
    for (uint32_t *to = &_sbss; to < &_ebss;)
        *to++ = 0;
    main();
}

__attribute__((section(".vectors"), used)) static void *const vectors[2] = {(void *)0x20020000, (void *)reset};
