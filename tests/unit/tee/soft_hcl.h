/* SPDX-License-Identifier: Apache-2.0 */
/* The report of an Azure paravisor made of software, and evidence around it. */
#ifndef VS_TEST_SOFT_HCL_H
#define VS_TEST_SOFT_HCL_H

#include "soft_tpm.h"

#include "tee/azure/vtpm.h"

typedef struct soft_hcl {
    hcl_type type;
    vs_buf json; /* variable data */
} soft_hcl;

/* Names this key, and has this user data. */
static inline void soft_hcl_start(soft_hcl *h, hcl_type type, const vs_key *ak, vs_span user_data)
{
    vs_arena a;
    vs_val jwk;
    vs_error err = {0};
    uint8_t padded[64];
    vs_arena_init(&a, 0);
    *h = (soft_hcl){.type = type, .json = VS_BUF(1 << 16)};
    assert_vs_ok(vs_key_to_jwk(&a, ak, NULL, &jwk, &err), &err);
    vs_tee_fit(user_data, padded, sizeof padded);
    vs_buf_puts(&h->json, "{\"keys\":[");
    vs_json_print(&h->json, vs_with(&a, jwk, vs_cstring("kid"), vs_cstring("HCLAkPub")));
    vs_buf_puts(&h->json, "],\"vm-configuration\":{},\"user-data\":\"");
    vs_hex_encode(&h->json, vs_span_of(padded, sizeof padded));
    vs_buf_puts(&h->json, "\"}");
    vs_arena_free(&a);
}

static inline void soft_hcl_stop(soft_hcl *h)
{
    vs_buf_free(&h->json);
}

/* What the hardware's report data must be. */
static inline void soft_hcl_digest(const soft_hcl *h, uint8_t out[64])
{
    uint8_t md[VS_HASH_MAX];
    vs_span no = {NULL, 0};
    assert_vs_code(vs_digest(VS_SHA256, vs_buf_span(&h->json), no, no, md, NULL), VS_OK);
    memset(out, 0, 64);
    memcpy(out, md, 32);
}

static inline void soft_le32(vs_buf *b, size_t v)
{
    for (unsigned i = 0; i < 4; i++)
        vs_buf_putc(b, (char)(v >> 8 * i));
}

static inline void soft_hcl_bytes(const soft_hcl *h, vs_span hardware, vs_buf *out)
{
    static const uint8_t zeros[HCL_HARDWARE_SIZE];
    vs_buf_puts(out, "HCLA");
    soft_le32(out, 1);
    soft_le32(out, 32 + HCL_HARDWARE_SIZE + 20 + h->json.n);
    soft_le32(out, 2);
    vs_buf_put(out, vs_span_of(zeros, 4 + 12));
    vs_buf_put(out, hardware);
    vs_buf_put(out, vs_span_of(zeros, HCL_HARDWARE_SIZE - hardware.n));
    soft_le32(out, 20 + h->json.n);
    soft_le32(out, 1);
    soft_le32(out, h->type);
    soft_le32(out, 1);
    soft_le32(out, h->json.n);
    vs_buf_put(out, vs_buf_span(&h->json));
    vs_buf_put(out, vs_span_of(zeros, 16));
    assert_true(vs_buf_ok(out));
}

static inline vs_val soft_b64url(vs_arena *a, vs_span bytes)
{
    return vs_string(vs_b64_encode_arena(a, VS_B64_URL_PADDED, bytes));
}

/* Of version 1 or 2; `endorsement` is the member's name. */
static inline vs_val soft_hcl_evidence(vs_arena *a, const soft_hcl *h, const soft_tpm *t,
                                       vs_span hardware, unsigned version, const char *endorsement,
                                       vs_val endorsed)
{
    vs_buf message = VS_BUF(4096), rsa = VS_BUF(1024), report = VS_BUF(1 << 16);
    vs_obj quote = {.a = a}, all = {.a = a};
    soft_tpm_message(t, &message);
    soft_tpm_sign(t, vs_buf_span(&message), &rsa);
    soft_hcl_bytes(h, hardware, &report);
    vs_obj_put(&quote, "signature", vs_string(vs_hex_encode_arena(a, vs_buf_span(&rsa))));
    vs_obj_put(&quote, "message", vs_string(vs_hex_encode_arena(a, vs_buf_span(&message))));
    vs_obj_put(&quote, "pcrs", soft_hex_list(a, &t->pcrs));
    vs_obj_put(&all, "version", vs_int(version));
    vs_obj_put(&all, "tpm_quote", vs_obj_end(&quote, VS_DUP_REFUSE, NULL));
    vs_obj_put(&all, "hcl_report", soft_b64url(a, vs_buf_span(&report)));
    vs_obj_put(&all, endorsement, endorsed);
    vs_buf_free(&message);
    vs_buf_free(&rsa);
    vs_buf_free(&report);
    return vs_obj_end(&all, VS_DUP_REFUSE, NULL);
}

#endif
