/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Time as the engines see it: microseconds of CLOCK_MONOTONIC, always handed in by the caller as `now`. No
 * engine reads a clock, so tests run on a virtual one and a jump of the wall clock changes nothing.
 */
#pragma once

#include <stdint.h>

typedef uint64_t usec_t;

#define USEC_PER_MSEC ((usec_t)1000)
#define USEC_PER_SEC  ((usec_t)1000000)
#define USEC_NEVER    UINT64_MAX /* a deadline that does not exist */

/* Engines get the time as an argument: these are for programs, src/io, src/pump and src/netconf. */
usec_t clock_now(void);
/* CLOCK_BOOTTIME, which runs on while the machine is suspended. */
usec_t clock_boot(void);
/* CLOCK_REALTIME, which may be set: to be shown, not to measure by. */
usec_t clock_wall(void);
/* Processor time that this process has used. */
usec_t clock_cpu(void);
