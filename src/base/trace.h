/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The request a thread is working on, as W3C Trace Context names it: in every line of the log, in
 * the response, in calls to other services.
 */
#ifndef VS_BASE_TRACE_H
#define VS_BASE_TRACE_H

#include "base/span.h"

enum { VS_TRACE_TEXT = 56 };

/* A request begins on this thread. `traceparent` is the header of the caller: its trace id is kept
 * and a new parent id made; absent, malformed or of version ff: a new trace (W3C 3.2.2.4). */
void vs_trace_begin(vs_span traceparent);
void vs_trace_end(void);
/* "00-<trace id>-<our id>-<flags>"; NULL outside of a request. Valid until vs_trace_end. */
const char *vs_traceparent(void);

#endif
