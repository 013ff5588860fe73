/* FreeRTOS task.h, of which an application may call this. */
#pragma once
#ifndef M2T
#error "include FreeRTOS.h must appear in source files before include task.h"
#endif
void vTaskDelay(const TickType_t xTicksToDelay);
