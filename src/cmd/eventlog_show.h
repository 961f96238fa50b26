/* SPDX-License-Identifier: Apache-2.0 */
/* An event log for people. What is shown is decoded, not proven: that takes a quote. */
#ifndef VS_CMD_EVENTLOG_SHOW_H
#define VS_CMD_EVENTLOG_SHOW_H

#include "cmd/view.h"
#include "tee/eventlog/eventlog.h"

/* A line per event, and the registers that their digests replay to. An event whose data cannot be
 * shown has the reason instead. */
VS_MUST vs_code eventlog_show(view *v, vs_arena *a, const eventlog *log, vs_error *err);

#endif
