/**
 * @file host.c
 * The kernels on this machine, under the sanitizers: calls come on standard input, memory goes to standard output.
 */
#define _GNU_SOURCE
#include "snn.h"

#include <sanitizer/asan_interface.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

typedef void (*kernel)(uintptr_t one, uintptr_t two, uintptr_t three);

#define MEMORIES 2

/** What the test and this program agree on. */
static char *const starts[MEMORIES] = {(char *)0x10000000, (char *)0x20000000};
static const size_t size = 0x400000;

static const kernel kernels[] = {
    (kernel)snn_pixel,   (kernel)snn_frames, (kernel)snn_spike_8, (kernel)snn_spike_4,     (kernel)snn_spike_2,
    (kernel)snn_pass,    (kernel)snn_or_pool, (kernel)snn_head,   (kernel)snn_packed_head,
    (kernel)snn_pixel_step, (kernel)snn_spike_8_step, (kernel)snn_spike_4_step, (kernel)snn_spike_2_step,
    (kernel)snn_pass_step, (kernel)snn_count_step, (kernel)snn_head_step, (kernel)snn_packed_head_step,
};

static uint64_t word(void)
{
    uint64_t value;

    if (fread(&value, sizeof value, 1, stdin) != 1) {
        exit(0);
    }
    return value;
}

int main(void)
{
    int k;

    for (k = 0; k < MEMORIES; k++) {
        const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE;

        if (mmap(starts[k], size, PROT_READ | PROT_WRITE, flags, -1, 0) != starts[k]) {
            return 2;
        }
    }
    for (;;) {
        const kernel function = kernels[word()];
        const uintptr_t one = word(), two = word(), three = word();
        uint64_t left;
        char *result;
        size_t bytes;

        for (left = word(); left; left--) {
            char *start = (char *)word();

            bytes = word();
            if (fread(start, 1, bytes, stdin) != bytes) {
                return 3;
            }
        }
        for (k = 0; k < MEMORIES; k++) {
            ASAN_POISON_MEMORY_REGION(starts[k], size);
        }
        for (left = word(); left; left--) {
            char *start = (char *)word();

            bytes = word();
            ASAN_UNPOISON_MEMORY_REGION(start, bytes);
        }
        function(one, two, three);
        for (k = 0; k < MEMORIES; k++) {
            ASAN_UNPOISON_MEMORY_REGION(starts[k], size);
        }
        result = (char *)word();
        bytes = word();
        fwrite(result, 1, bytes, stdout);
        fflush(stdout);
    }
}
