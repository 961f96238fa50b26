/* SPDX-License-Identifier: Apache-2.0 */
/* CCA tokens and claims as reports (show/report.h) and as JSON. */
#ifndef VS_CMD_CCA_SHOW_H
#define VS_CMD_CCA_SHOW_H

#include "cmd/show/report.h"
#include "tee/cca/claims_json.h"
#include "tee/cca/token.h"
#include "tee/cca/trust.h"
#include "tee/tee.h"

/* What a token can be held against; all may be absent. */
typedef struct cca_expect {
    const cca_snapshot *trust; /* NULL: signatures of the platform and appraisal stay open */
    const vs_tee_endorsements *endorsements; /* beside `trust`; NULL: none */
    vs_span challenge; /* expected report data, fitted to 64 bytes; p == NULL = any */
} cca_expect;

/* The token and everything that can be said about it. What fails is in the checks. */
VS_MUST vs_code cca_report_token(report *r, const cca_token *t, const cca_expect *expect,
                                 vs_error *err);
/* Claims alone. */
VS_MUST vs_code cca_report_platform(report *r, const cca_platform *p, vs_error *err);
VS_MUST vs_code cca_report_realm(report *r, const cca_realm *realm, vs_error *err);
/* Adds the checks and vectors of a token: cca_checks.c. */
void cca_checks(report *r, const cca_token *t, const cca_expect *expect);

/* The claims as in claims_json.h, and the checks and vectors of a report about the same token. */
vs_val cca_token_value(const report *r, const cca_token *t);

#endif
