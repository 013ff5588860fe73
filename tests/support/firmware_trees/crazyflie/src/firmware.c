/* The part of crazyflie-firmware that an application calls: the task of the app layer, and nothing that flies. */
#include "app.h"
#include "FreeRTOS.h"
#include "task.h"
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
