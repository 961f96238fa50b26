/* SPDX-License-Identifier: Apache-2.0 */
/* Collateral in a file as Intel's PCS client tool writes it, with white space wherever JSON has
 * room for it. */
#ifndef VS_TEST_COLLATERAL_FILE_H
#define VS_TEST_COLLATERAL_FILE_H

#include "testing.h"

#include "base/enc.h"
#include "tee/dcap/trust.h"

static inline void put_escaped(vs_buf *out, vs_span text)
{
    for (size_t i = 0; i < text.n; i++)
        vs_buf_printf(out, "%%%02X", text.p[i]);
}

static inline void put_spread(vs_buf *out, vs_span json)
{
    bool in_string = false;
    for (size_t i = 0; i < json.n; i++) {
        char c = (char)json.p[i];
        in_string ^= c == '"';
        vs_buf_putc(out, c);
        if (!in_string && strchr("{}[]:,\"", c))
            vs_buf_puts(out, " \n\t");
    }
}

static inline void put_document(vs_buf *out, const char *key, const char *name, vs_span json,
                                vs_span signature)
{
    vs_buf_printf(out, "\"%s\":{\"signature\":\"", key);
    vs_hex_encode(out, signature);
    vs_buf_printf(out, "\" , \"%s\" : ", name);
    put_spread(out, json);
    vs_buf_puts(out, "}");
}

static inline void put_hex_member(vs_buf *out, const char *before, vs_span bytes)
{
    vs_buf_puts(out, before);
    vs_hex_encode(out, bytes);
    vs_buf_putc(out, '"');
}

static inline void put_collateral_file(vs_buf *out, const char *fmspc, const dcap_collateral *k)
{
    vs_buf_printf(out,
                  "{\"x\":[1,{\"collaterals\":0}],\n \"collaterals\" : { \"version\":\"4\","
                  "\"tcbinfos\" : [ {\"fmspc\":\"000000000000\",\"tdx_tcbinfo\":null},"
                  "{\"fmspc\":\"%s\",\"tdx_tcbinfo_early\":null,",
                  fmspc);
    put_document(out, "tdx_tcbinfo", "tcbInfo", k->tcb_info, k->tcb_info_signature);
    vs_buf_puts(out, "}],");
    put_document(out, "tdqeidentity", "enclaveIdentity", k->qe_identity, k->qe_identity_signature);
    put_hex_member(out, ",\"pckcacrl\":{\"processorCrl\":\"", k->root_crl);
    put_hex_member(out, ",\"platformCrl\":\"", k->pck_crl);
    put_hex_member(out, "},\"rootcacrl\":\"", k->root_crl);
    vs_buf_puts(out, ",\"certificates\":{\"TCB-Info-Issuer-Chain\":\"");
    put_escaped(out, k->tcb_info_chain);
    vs_buf_puts(out, "\",\"SGX-Enclave-Identity-Issuer-Chain\":\"");
    put_escaped(out, k->qe_identity_chain);
    vs_buf_puts(out, "\",\"SGX-PCK-Certificate-Issuer-Chain\":{\"PROCESSOR\":\"\",\"PLATFORM\":\"");
    put_escaped(out, k->pck_crl_chain);
    vs_buf_puts(out, "\"}}}}");
    assert_true(vs_buf_ok(out));
}

#endif
