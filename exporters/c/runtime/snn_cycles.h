/**
 * @file snn_cycles.h
 * The cycle counter of the core.
 */
#ifndef SNN_CYCLES_H
#define SNN_CYCLES_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * 1 if the architecture has a counter of processor cycles that snn_cycles() reads, else 0.
 *
 * - Arm: DWT_CYCCNT of Cortex-M3, M4, M7, M33, M55; the M0+ and M23 have none (Armv6-M and Armv8-M baseline).
 * - RISC-V: mcycle, from machine mode. Espressif's RISC-V chips have a counter of their own instead:
 *   esp_cpu_get_cycle_count() of ESP-IDF reads it.
 * - Xtensa: CCOUNT.
 */
#if defined(__ARM_ARCH_7M__) || defined(__ARM_ARCH_7EM__) || defined(__ARM_ARCH_8M_MAIN__) || \
    defined(__ARM_ARCH_8_1M_MAIN__) || defined(__XTENSA__) || \
    (defined(__riscv) && __riscv_xlen == 32 && !defined(ESP_PLATFORM) && !defined(__linux__))
#define SNN_HAS_CYCLES 1
#else
#define SNN_HAS_CYCLES 0
#endif

/**
 * Processor cycles so far, modulo 2^32: what a stretch of code took is the difference of two readings.
 *
 * On a Cortex-M the first call starts the counter, so call it once before you measure; it needs privileged mode. On
 * RISC-V the counter must be allowed to run: bit 0 of mcountinhibit is 0.
 * @return the count, and always 0 where SNN_HAS_CYCLES is 0 or an Arm core was made without its counter
 */
uint32_t snn_cycles(void);

#ifdef __cplusplus
}
#endif

#endif
