/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The claims of an EAR token for the tools that show it (attestation-service.md 5.2, 5.5). Reading
 * checks the structure, not who signed it.
 */
#ifndef VS_CMD_EAR_DOC_H
#define VS_CMD_EAR_DOC_H

#include "cmd/show/report.h"

typedef struct ear_submod {
    vs_span name;
    ear_tier status;
    ear_vector vector; /* nothing set when the token has none */
    vs_span policy_id; /* may be empty */
    vs_val evidence;   /* annotated evidence; may be undefined */
} ear_submod;

typedef struct ear_doc {
    vs_span profile, developer, build;
    vs_span issuer;  /* may be empty */
    vs_val iat, exp; /* exp may be undefined */
    ear_submod *submods;
    size_t n; /* at least one */
} ear_doc;

/* True when it has "submods" with an "ear.status": worth reading as an EAR. */
bool ear_doc_looks_like(vs_val claims);
/* VS_E_INVALID: a member is missing or wrong, a claim is unknown, or a status is better than its
 * trust vector. */
VS_MUST vs_code ear_doc_read(vs_arena *a, vs_val claims, ear_doc *out, vs_error *err);
/* One submod: its status, and its vector with a gauge per claim on a terminal. */
void ear_vector_show(view *v, vs_span name, ear_tier status, vs_span policy_id,
                     const ear_vector *vector);
bool ear_vector_is_empty(const ear_vector *v);
/* For a page: vectors, and what else there is as a tree. */
void ear_doc_report(report *r, const ear_doc *d);
/* The table. */
void ear_doc_show(view *v, const ear_doc *d);

#endif
