/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a TDX quote with the certificates inside, and any text as a file of collateral. */
#include <stdlib.h>

#include "tee/dcap/rawjson.h"
#include "tee/dcap/trust.h"
#include "value/json.h"

static void check(bool ok)
{
    if (!ok)
        abort();
}

static void use_quote(vs_span in)
{
    dcap_quote q;
    dcap_pck pck;
    vs_error err = {0};
    if (dcap_quote_parse(in, &q, &err) != VS_OK) {
        check(vs_error_at(&err, 0) != NULL);
        return;
    }
    check(q.signed_part.p == in.p && q.body.report_data.n == 64 && q.attestation_key.n == 64);
    check(q.pck_chain.p >= in.p && q.pck_chain.p + q.pck_chain.n <= in.p + in.n);
    vs_certs *c = NULL;
    if (vs_certs_from_pem(q.pck_chain, &c, NULL) == VS_OK)
        (void)!dcap_pck_read(c, &pck, NULL);
    vs_certs_free(&c);
    (void)!dcap_verify_quote(dcap_intel_root, &q, 1750000000, NULL, &pck, NULL);
}

/* Parts of the text are texts of the values that they say they are. */
static void use_collateral(vs_span text)
{
    static const uint8_t fmspc[6];
    static dcap_tcb_info info;
    vs_arena a;
    vs_val v, part;
    dcap_collateral k;
    dcap_qe_identity id;
    vs_arena_init(&a, 4 << 20);
    if (vs_json_parse(&a, text, NULL, &v, NULL) == VS_OK && v.kind == VS_OBJECT) {
        vs_span raw = rawjson_member(text, "collaterals");
        if (raw.n)
            check(vs_json_parse(&a, raw, NULL, &part, NULL) == VS_OK);
        const dcap_file file = {text, v};
        (void)!dcap_collateral_of(&a, &file, fmspc, false, false, &k, NULL);
        (void)!dcap_tcb_info_read(&a, v, &info, NULL);
        (void)!dcap_qe_identity_read(&a, v, &id, NULL);
    }
    vs_arena_free(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    use_quote(vs_span_of(data, size));
    use_collateral(vs_span_of(data, size));
    return 0;
}
