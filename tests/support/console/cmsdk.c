/*
 * What a board's own project gives to examples/console_main.c, for QEMU's mps2-an386 and mps2-an500: start-up code, and
 * a polled driver of the CMSDK APB UART and timer (Arm Cortex-M System Design Kit, DDI 0479; addresses from Arm's
 * application notes 386 and 500).
 */
#include <stddef.h>
#include <stdint.h>

#define REGISTER(address) (*(volatile uint32_t *)(address))
#define UART_DATA REGISTER(0x40004000u)
#define UART_STATE REGISTER(0x40004004u)
#define UART_TX_FULL 1u
#define UART_RX_FULL 2u
#define UART_CTRL REGISTER(0x40004008u)
#define UART_BAUDDIV REGISTER(0x40004010u)
#define TIMER_CTRL REGISTER(0x40000000u)
#define TIMER_VALUE REGISTER(0x40000004u)
#define TIMER_RELOAD REGISTER(0x40000008u)

extern uint32_t _bss_start[], _bss_end[], _stack_top[];

int main(void);
void Reset_Handler(void);
void board_put(void *context, uint8_t byte);
int board_get(void);
uint32_t board_counter(void);
void *memcpy(void *restrict to, const void *restrict from, size_t size);
void *memset(void *to, int value, size_t size);

static void transmit(uint8_t byte)
{
    while (UART_STATE & UART_TX_FULL) {
    }
    UART_DATA = byte;
}

static void say(const char *text)
{
    for (; *text; text++) {
        transmit((uint8_t)*text);
    }
}

void board_put(void *context, uint8_t byte)
{
#ifdef CHATTER
    /* Other code logs on the same line, now and then within an answer. */
    static uint32_t sent;

    if (++sent % 301u == 0u) {
        say("\r\n[1234] ~sensor: ok\r\n");
    }
#endif
    (void)context;
    transmit(byte);
}

int board_get(void)
{
#ifdef DEAF_AFTER
    static uint32_t heard;

    if (heard >= DEAF_AFTER) {
        return -1;
    }
#endif
    if (!(UART_STATE & UART_RX_FULL)) {
        return -1;
    }
#ifdef DEAF_AFTER
    heard++;
#endif
    return (int)(UART_DATA & 0xFFu);
}

/* The timer counts down from all ones. */
uint32_t board_counter(void)
{
    return ~TIMER_VALUE;
}

void Reset_Handler(void)
{
    uint32_t *word;

    for (word = _bss_start; word < _bss_end; word++) {
        *word = 0;
    }
    UART_BAUDDIV = 16u;
    UART_CTRL = 3u;
    /* QEMU looks again for what has come when the data is read, and not when the receiver is switched on. */
    (void)UART_DATA;
    TIMER_RELOAD = 0xFFFFFFFFu;
    TIMER_VALUE = 0xFFFFFFFFu;
    TIMER_CTRL = 1u;
    say("test board, firmware 1.0\r\nready> ");
    main();
}

static void fault(void)
{
    for (;;) {
    }
}

__attribute__((section(".vectors"), used)) static void *const vectors[16] = {
    _stack_top, (void *)Reset_Handler, (void *)fault, (void *)fault, (void *)fault, (void *)fault,
};

void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
    uint8_t *target = to;
    const uint8_t *source = from;

    while (size--) {
        *target++ = *source++;
    }
    return to;
}

void *memset(void *to, int value, size_t size)
{
    uint8_t *target = to;

    while (size--) {
        *target++ = (uint8_t)value;
    }
    return to;
}
