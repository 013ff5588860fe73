/**
 * @file snn_spike_steps.c
 * The kernels of layers that see spikes once more, for one time step of a stream.
 */
#define SNN_STEPWISE 1

#include "snn_spike.c"
