/* SPDX-License-Identifier: Apache-2.0 */
/* Times by Go's layouts: "Mon Jan 2 15:04:05 MST 2006" stands for itself. */
#ifndef VS_REGO_TIME_LAYOUT_H
#define VS_REGO_TIME_LAYOUT_H

#include "base/buf.h"
#include "rego/zone.h"

/* The layout behind a name such as RFC3339 or UnixDate; other texts are layouts themselves. */
vs_span layout_of(vs_span name);
void layout_format(vs_buf *out, vs_span layout, const civil *c, const rego_zone *z);
/* The moment as seconds and nanoseconds; a text without zone is UTC. False: *why says what is
 * wrong, in Go's words. */
bool layout_parse(vs_span layout, vs_span text, int64_t *seconds, int *nanosecond, vs_buf *why);
/* The text in quotes, as Go's errors about times and durations have it. */
void layout_quote(vs_buf *out, vs_span s);

#endif
