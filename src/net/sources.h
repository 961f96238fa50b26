/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one source may take: requests per second (a token bucket) and connections at a time. A
 * source is an IPv4 address or an IPv6 /64. The table has a fixed size and is made once; sources
 * that have no connection and have been still are forgotten first. Thread safe.
 */
#ifndef VS_NET_SOURCES_H
#define VS_NET_SOURCES_H

#include "net/origin.h"

typedef struct vs_sources vs_sources;

typedef struct vs_source_limits {
    unsigned rate;        /* requests per second; 0 = no limit */
    unsigned burst;       /* at once; 0 = twice the rate */
    unsigned connections; /* at a time; 0 = no limit */
} vs_source_limits;

/* Room for `connections` sources with one connection each, twice over (88 bytes for each). */
VS_MUST vs_code vs_sources_new(unsigned connections, vs_sources **out, vs_error *err);
void vs_sources_free(vs_sources **s);
/* For what comes from now on. */
void vs_sources_limit(vs_sources *s, vs_source_limits limits);

/* False: over its limit, nothing was counted. Otherwise paired with vs_sources_leave. An address
 * that is not known (vs_ip_known) has no limits. */
VS_MUST bool vs_sources_enter(vs_sources *s, vs_ip ip, int64_t now_ns);
void vs_sources_leave(vs_sources *s, vs_ip ip);
/* One request now. */
VS_MUST bool vs_sources_request(vs_sources *s, vs_ip ip, int64_t now_ns);

#endif
