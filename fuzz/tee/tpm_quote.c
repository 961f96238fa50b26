/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a TPM's quote, as its signature, and as the report of an Azure paravisor. */
#include <stdlib.h>

#include "tee/azure/hcl.h"
#include "tee/tpm/quote.h"

static void check(bool ok)
{
    if (!ok)
        abort();
}

static bool inside(vs_span part, vs_span in)
{
    return part.n == 0 || (part.p >= in.p && part.p + part.n <= in.p + in.n);
}

static void use_hcl(vs_span in)
{
    vs_arena a;
    hcl_report r;
    hcl_type type;
    bool found = hcl_find_type(in, &type, NULL) == VS_OK;
    check(!found || type == HCL_SNP || type == HCL_TDX);
    vs_arena_init(&a, 1 << 20);
    for (unsigned i = 0; i < 2; i++) {
        vs_key *ak = NULL;
        if (hcl_parse(&a, in, i ? HCL_TDX : HCL_SNP, &r, NULL) != VS_OK)
            continue;
        check(found && type == (i ? HCL_TDX : HCL_SNP));
        check(inside(r.variable_data, in) && r.hardware.n == HCL_HARDWARE_SIZE);
        check((hcl_attestation_key(&r, &ak, NULL) == VS_OK) == (ak != NULL));
        vs_key_free(&ak);
        (void)!hcl_check_user_data(&r, VS_LIT("x"), &a, NULL);
    }
    vs_arena_free(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    vs_span in = vs_span_of(data, size), rsa;
    tpm_quote q;
    vs_error err = {0};
    if (tpm_quote_parse(in, &q, &err) == VS_OK)
        check(q.pcr_digest.n == TPM_PCR_SIZE && inside(q.nonce, in) && inside(q.signer, in));
    else
        check(vs_error_at(&err, 0) != NULL);
    if (tpm_signature_parse(in, &rsa, NULL) == VS_OK)
        check(rsa.p == data + 6 && rsa.n == size - 6);
    use_hcl(in);
    return 0;
}
