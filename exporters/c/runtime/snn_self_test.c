/**
 * @file snn_self_test.c
 * A known image must give its known scores.
 */
#include "snn.h"

int snn_self_test(snn_infer infer, const uint8_t *image, const int32_t *known, int32_t *scores, uint32_t classes)
{
    uint32_t k;

    infer(image, scores);
    for (k = 0; k < classes; k++) {
        if (scores[k] != known[k]) {
            return 0;
        }
    }
    return 1;
}
