/**
 * @file snn_pixel_steps.c
 * The kernels of the layer that sees pixels once more, for one time step of a stream.
 */
#define SNN_STEPWISE 1

#include "snn_pixel.c"
