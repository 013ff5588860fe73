/* The part of crazyflie-firmware that an application calls: the task of the app layer, and nothing that flies. */
#include "app.h"
#include "FreeRTOS.h"
#include "task.h"
#include "uart1.h"
#include "usec_time.h"
#include "../../console.h"

static uint64_t now;

void stand_in_main(void);

void stand_in_main(void)
{
    appMain();
    stand_in_print("<appMain returned>");
    stand_in_done();
}

/* The application has nothing left to do. */
void vTaskDelay(const TickType_t xTicksToDelay)
{
    now += 1000u * xTicksToDelay;
    stand_in_done();
}

uint64_t usecTimestamp(void)
{
    return now += 7u;
}

void uart1Init(const uint32_t baudrate)
{
    stand_in_print("UART1 at %u\n", (unsigned)baudrate);
}

bool uart1GetDataWithTimeout(uint8_t *c, const uint32_t timeoutTicks)
{
    const int byte = stand_in_get();

    if (byte < 0) {
        now += 1000u * timeoutTicks;
        stand_in_done();
        return false;
    }
    *c = (uint8_t)byte;
    return true;
}

int uart1Putchar(int ch)
{
    stand_in_put((unsigned char)ch);
    return (unsigned char)ch;
}
