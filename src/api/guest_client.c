/* SPDX-License-Identifier: Apache-2.0 */
#include "api/guest_client.h"

#include "api/aa_rpc.h"
#include "net/pb_wire.h"
#include "net/ttrpc_wire.h"

vs_code guest_ask(vs_ttrpc_client *c, const char *path, vs_span fields, vs_buf *out, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf reply = VS_BUF(VS_TTRPC_PAYLOAD_MAX);
    vs_pb_field f;
    bool bad = false;
    vs_span answer = {0};
    VS_TRY(vs_ttrpc_call(c, path, fields, &reply, NULL, err));
    for (vs_span in = vs_buf_span(&reply); vs_pb_next(&in, &f, &bad);) {
        if (f.number == 1 && f.is_bytes)
            answer = f.bytes;
        else if (f.number == 1)
            bad = true;
    }
    if (bad)
        return vs_fail(err, VS_E_PARSE, "%s: the answer is not a well-formed message", path);
    vs_buf_put(out, answer);
    return vs_buf_check(out, err);
}

vs_code guest_ask_bytes(vs_ttrpc_client *c, const char *path, vs_span in, vs_buf *out,
                        vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf fields = VS_BUF(VS_TTRPC_PAYLOAD_MAX);
    vs_pb_put_bytes(&fields, 1, in);
    VS_TRY(vs_buf_check(&fields, err));
    return guest_ask(c, path, vs_buf_span(&fields), out, err);
}

vs_code aa_client_kbs_token(void *client, vs_span refused, vs_buf *json, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf fields = VS_BUF(256);
    uint8_t digest[VS_HASH_MAX];
    vs_pb_put_bytes(&fields, 1, VS_LIT("kbs"));
    if (refused.n) {
        VS_TRY(vs_digest(VS_SHA256, refused, (vs_span){0}, (vs_span){0}, digest, err));
        vs_pb_put_bytes(&fields, AA_RPC_REFUSED, vs_span_of(digest, vs_hash_size(VS_SHA256)));
    }
    VS_TRY(vs_buf_check(&fields, err));
    return guest_ask(client, "/" AA_RPC_SERVICE "/GetToken", vs_buf_span(&fields), json, err);
}
