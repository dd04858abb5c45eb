/* SPDX-License-Identifier: Apache-2.0 */
/* Clocks and zones as numbers. */
#ifndef RULEC_CLOCK_H
#define RULEC_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline uint64_t clock_ns(clockid_t id)
{
    struct timespec t;

    clock_gettime(id, &t);
    return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

/* Seconds that the zone is east of UTC at a time; 0 if that cannot be told. */
static inline int32_t clock_utc_offset(time_t at)
{
    struct tm tm;

    return localtime_r(&at, &tm) ? (int32_t)tm.tm_gmtoff : 0;
}

#endif
