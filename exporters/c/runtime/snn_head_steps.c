/**
 * @file snn_head_steps.c
 * The kernels of the head once more, for one time step of a stream.
 */
#define SNN_STEPWISE 1

#include "snn_head.c"
