/* SPDX-License-Identifier: Apache-2.0 */
/* One line of an audit log, and the chain from one to the next: what writer and verifier share. */
#ifndef VS_KBS_AUDIT_LINE_H
#define VS_KBS_AUDIT_LINE_H

#include "crypto/crypto.h"

/* Where the next line goes on. */
typedef struct audit_chain {
    uint64_t seq;  /* of the next line */
    char prev[65]; /* hexadecimal */
} audit_chain;

typedef struct audit_line {
    vs_span text; /* without the line feed */
    uint64_t seq;
    vs_span time, prev;
    vs_val event;
} audit_line;

void audit_chain_begin(audit_chain *c);
/* Appends the line with its line feed to `out`; `next` is the chain behind it. */
VS_MUST vs_code audit_line_write(const audit_chain *c, int64_t now, vs_span event_json, vs_buf *out,
                                 audit_chain *next, vs_error *err);
VS_MUST vs_code audit_line_read(vs_span text, vs_arena *a, audit_line *out, vs_error *err);
VS_MUST vs_code audit_chain_after(const audit_line *line, audit_chain *out, vs_error *err);
/* What a checkpoint in the line at `c` signs. */
void audit_checkpoint_payload(const audit_chain *c, int64_t now, vs_buf *out);

#endif
