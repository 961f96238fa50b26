/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `vouchsafe doctor` finds: each check looks at one thing, changes nothing, and says what to
 * do.
 */
#ifndef VS_CMD_DOCTOR_H
#define VS_CMD_DOCTOR_H

#include "kbs/config.h"

typedef enum finding_level { FINDING_OK, FINDING_WARNING, FINDING_PROBLEM } finding_level;

typedef struct finding {
    finding_level level;
    const char *area;    /* "certificate", "store": static */
    const char *subject; /* a file, a socket; on the arena */
    const char *text;    /* what is; on the arena */
    const char *advice;  /* what to do; "" when there is nothing */
} finding;

enum { FINDINGS_MAX = 256 };

typedef struct doctor {
    vs_arena *a;
    int64_t now;
    finding findings[FINDINGS_MAX];
    size_t n;
} doctor;

/* All but whether the configuration can be read, which its caller knows. Beyond FINDINGS_MAX, and
 * when memory runs out, findings are dropped and the last one says so. */
void doctor_look(doctor *d, const kbs_config *cfg);
/* doctor_peers.c, called by that: whether those that the server asks answer, each within
 * DOCTOR_PEER_MS, a key source within that of api/key_fetch.h. */
enum { DOCTOR_PEER_MS = 5000 };
void doctor_look_at_peers(doctor *d, const kbs_config *cfg);
/* `advice` may be NULL. */
void doctor_add(doctor *d, finding_level level, const char *area, const char *subject,
                const char *advice, const char *fmt, ...) VS_PRINTF(6, 7);
void doctor_add_error(doctor *d, finding_level level, const char *area, const char *subject,
                      const char *advice, const vs_error *err);

#endif
