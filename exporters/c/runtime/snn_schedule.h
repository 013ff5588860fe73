/**
 * @file snn_schedule.h
 * One source, two schedules; no part of the interface.
 *
 * The kernels of layers and of the head are compiled twice: as they are they run all time steps of a layer at once, and
 * included by snn_*_steps.c, which sets SNN_STEPWISE to 1, one time step, and what a stream keeps stays in the arena.
 */
#ifndef SNN_SCHEDULE_H
#define SNN_SCHEDULE_H

#ifndef SNN_STEPWISE
#define SNN_STEPWISE 0
#endif

#if SNN_STEPWISE
#define SNN_KERNEL(name) name##_step
#define SNN_TIME_STEPS(descriptor) 1u
#else
#define SNN_KERNEL(name) name
#define SNN_TIME_STEPS(descriptor) ((descriptor)->time_steps)
#endif

#endif
