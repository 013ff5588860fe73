/* Test firmware: honours the mailbox, and misbehaves on demand (first pixel). See __init__.py. */
#include <stdint.h>

#ifndef KNOWN
#define KNOWN 168 /* sum of i * (i + 1) for i < 8 */
#endif

extern uint32_t _stack_limit[], _stack_top[];

struct mailbox {
  uint32_t magic, command, status, self_test;
  uint8_t image[8];
  int32_t scores[2];
};

__attribute__((section(".mailbox"), used)) volatile struct mailbox spikenas_mailbox;
__attribute__((section(".arena"), used, aligned(4))) volatile uint8_t net_arena[64];
const uint8_t net_known_image[8] = {0, 1, 2, 3, 4, 5, 6, 7};

__attribute__((noinline)) void spikenas_idle(void) { __asm volatile("" ::: "memory"); }

__attribute__((noinline)) static uint32_t deep(uint32_t n) {
  volatile uint32_t frame[16];
  frame[0] = n;
  return n == 0 ? 0 : deep(n - 1) + frame[0] - n;
}

__attribute__((noinline)) void net_infer(const volatile uint8_t *image, volatile int32_t *scores) {
  volatile uint32_t *const nowhere = (volatile uint32_t *)0x40000000u;
  uint32_t sum = 0;
  uint32_t before = net_arena[40];
  for (uint32_t i = 0; i < 8; i++) {
    net_arena[i] = image[i];
    sum += net_arena[i] * (i + 1);
  }
  switch (image[0]) {
    case 201: sum += *nowhere; break;
    case 202: *nowhere = 1; break;
    case 203: *(volatile uint32_t *)(uintptr_t)net_known_image = 1; break;
    case 204: ((void (*)(void))0x50000001u)(); break;
    case 205: __asm volatile("udf #0"); break;
    case 206: sum += deep(image[1]); break;
    case 207: for (;;) __asm volatile("");
    case 208: ((volatile uint8_t *)spikenas_mailbox.scores)[8 + image[1]] = 1; break;
    case 209: sum += before; break;
    case 210: for (uint32_t i = 0; i < 40000; i++) net_arena[i & 7] = (uint8_t)i; break;
    case 211: __asm volatile("svc #0"); break;
    case 212: sum += *(volatile uint8_t *)0x20000010u & 0; break;
  }
  scores[0] = (int32_t)sum;
  scores[1] = -(int32_t)sum;
}

__attribute__((noreturn)) static void run(void) {
  int32_t known[2];
  net_infer(net_known_image, known);
  spikenas_mailbox.self_test = known[0] == KNOWN ? 1 : 2;
  spikenas_mailbox.command = 0;
  spikenas_mailbox.status = 1;
  spikenas_mailbox.magic = 0x4E4B5053u;
  for (;;) {
    while (spikenas_mailbox.command != 1) spikenas_idle();
    net_infer(spikenas_mailbox.image, spikenas_mailbox.scores);
    spikenas_mailbox.command = 0;
    spikenas_mailbox.status = 2;
  }
}

__attribute__((noreturn)) void reset(void) {
  for (volatile uint32_t *p = _stack_limit; p < (uint32_t *)__builtin_frame_address(0) - 16; p++) *p = 0xC5C5C5C5u;
  run();
}

static void fault(void) {
  for (;;) __asm volatile("");
}

__attribute__((section(".vectors"), used)) const void *const vectors[16] = {
    _stack_top, (const void *)reset, (const void *)fault, (const void *)fault,
    (const void *)fault, (const void *)fault, (const void *)fault,
};
