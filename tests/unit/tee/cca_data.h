/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens and trust of ../shared/data/cca for the tests of this folder. */
#ifndef VS_TEST_CCA_DATA_H
#define VS_TEST_CCA_DATA_H

#include "testing.h"

#include "base/enc.h"
#include "tee/cca/token.h"
#include "tee/cca/trust.h"

#define CCA_DATA "data/cca/"
static const char empty_references[] = "{}";

/* A trust object with one anchor for the platform of a decoded token, from a JWK file. */
static inline void trust_of_jwk(const char *jwk_file, const cca_platform *p, cca_trust **out)
{
    vs_error err = {0};
    vs_buf jwk = VS_BUF(1 << 16), store = VS_BUF(1 << 17);
    read_shared(jwk_file, &jwk);
    vs_buf_puts(&store, "[{\"pkey\":");
    vs_buf_put(&store, vs_buf_span(&jwk));
    vs_buf_puts(&store, ",\"implementation-id\":\"");
    vs_hex_encode(&store, p->implementation_id);
    vs_buf_puts(&store, "\",\"instance-id\":\"");
    vs_hex_encode(&store, p->instance_id);
    vs_buf_puts(&store, "\"}]");
    assert_vs_ok(cca_trust_of_text(vs_buf_span(&store), VS_LIT("{}"), out, &err), &err);
    vs_buf_free(&jwk);
    vs_buf_free(&store);
}

/* From a trust anchor store file and a reference store file (NULL = empty). */
static inline void trust_of_files(const char *ta_file, const char *rv_file, cca_trust **out)
{
    vs_error err = {0};
    vs_buf ta = VS_BUF(1 << 20), rv = VS_BUF(1 << 20);
    read_shared(ta_file, &ta);
    if (rv_file)
        read_shared(rv_file, &rv);
    else
        vs_buf_puts(&rv, empty_references);
    assert_vs_ok(cca_trust_of_text(vs_buf_span(&ta), vs_buf_span(&rv), out, &err), &err);
    vs_buf_free(&ta);
    vs_buf_free(&rv);
}

#endif
