/* The console on this machine: requests come on standard input, answers go to standard output. */
#include <stdio.h>
#include <stdlib.h>

#include "net.h"
#include "spikenas_console.h"

static uint32_t now;

static uint32_t counter(void)
{
    now += 1000u;
    return now;
}

static void put(void *context, uint8_t byte)
{
    putc(byte, (FILE *)context);
}

int main(int count, char **words)
{
    /* On the heap and of exactly their size, so that AddressSanitizer sees a byte too many. */
    uint8_t *image = calloc(1, NET_IMAGE_BYTES);
    int32_t *scores = calloc(NET_CLASSES, sizeof *scores);
    spikenas_console *console = malloc(sizeof *console);
    spikenas_console_network network = {
        "net", &net_info, net_infer, net_self_test, image, NET_IMAGE_BYTES, scores, NET_CLASSES, 0, 0, 0,
    };
    int byte, others = 0;

    if (count > 1) {
        network.counter = counter;
        network.counter_hz = (uint32_t)strtoul(words[1], 0, 10);
        network.clock_hz = 168000000u;
    }
    spikenas_console_start(console, &network, put, stdout);
    while ((byte = getchar()) != EOF) {
        others += !spikenas_console_feed(console, (uint8_t)byte);
        fflush(stdout);
    }
    fprintf(stderr, "%d", others);
    free(console);
    free(scores);
    free(image);
    return 0;
}
