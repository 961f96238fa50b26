/* SPDX-License-Identifier: Apache-2.0 */
/* Everything a client or an administrator can send as text, through the whole broker on a memory
 * store. The first byte chooses what the rest is: see `kinds`. */
#include <stdlib.h>

#include "base/enc.h"
#include "base/log.h"
#include "kbs/kbs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { NOW = 1790000000, ROUNDS = 4096 };

static struct {
    vs_store *store;
    rvps *rv;
    as_service *as;
    kbs_config cfg;
    kbs *k;
    vs_buf session;     /* of a fresh challenge for the sample attester */
    vs_buf old_session; /* ... of protocol 0.1.1 */
    unsigned round;
} b;

static void must(vs_code code)
{
    if (code != VS_OK)
        abort();
}

static kbs_error ask(kbs_method method, const char *path, vs_span body, vs_span session,
                     vs_span bearer, vs_buf *new_session)
{
    vs_arena a;
    vs_arena_init(&a, 16 << 20);
    vs_span segments[8], rest = vs_str(path);
    size_t n = 0;
    for (bool more = true; more && n < VS_COUNT(segments);)
        segments[n++] = vs_span_cut(rest, '/', &rest, &more);
    const kbs_call call = {.method = method,
                           .segments = segments,
                           .n_segments = n,
                           .path = vs_str(path),
                           .query = vs_empty(VS_OBJECT),
                           .session = session,
                           .bearer = bearer,
                           .body = body,
                           .now = NOW,
                           .arena = &a};
    kbs_reply reply = {.body = VS_BUF(1 << 20)};
    kbs_handle(b.k, &call, &reply);
    /* A refusal tells its text and nothing else. */
    if (reply.error != KBS_OK && (reply.body.n != 0 || !vs_utf8_ok(reply.detail)))
        abort();
    if (new_session)
        vs_buf_put(new_session, reply.set_session);
    vs_buf_free(&reply.body);
    vs_arena_free(&a);
    return reply.error;
}

static void stop(void)
{
    kbs_free(&b.k);
    as_free(&b.as);
    rvps_free(&b.rv);
    vs_store_close(&b.store);
    vs_buf_free(&b.session);
    vs_buf_free(&b.old_session);
}

static void begin_session(vs_span request, vs_buf *cookie)
{
    *cookie = (vs_buf)VS_BUF(4096);
    must(ask(KBS_POST, "auth", request, VS_LIT(""), VS_LIT(""), cookie) == KBS_OK ? VS_OK
                                                                                  : VS_E_INTERNAL);
}

static void start(void)
{
    static const vs_tee_trust trust = {.sample = true};
    static const as_config as_cfg;
    static const rvps_options rv_opts;
    vs_log_setup(VS_LOG_ERROR, false, 2);
    must(vs_store_open_memory(&b.store, NULL));
    must(rvps_new(b.store, &rv_opts, &b.rv, NULL));
    must(as_new(&as_cfg, b.store, b.rv, &trust, &b.as, NULL));
    kbs_config_defaults(&b.cfg, NULL);
    b.cfg.admin.mode = KBS_ADMIN_INSECURE_ALLOW_ALL;
    b.cfg.has_resource_plugin = true;
    must(kbs_new(&b.cfg, b.store, b.store, b.as, b.rv, &b.k, NULL));
    begin_session(VS_LIT("{\"version\":\"0.4.0\",\"tee\":\"sample\",\"extra-params\":\"\"}"),
                  &b.session);
    begin_session(VS_LIT("{\"version\":\"0.1.1\",\"tee\":\"sample\",\"extra-params\":\"\"}"),
                  &b.old_session);
}

static void policy(vs_span text)
{
    vs_buf body = VS_BUF(1 << 21);
    vs_buf_puts(&body, "{\"policy_id\":\"fuzz_cpu\",\"policy\":\"");
    vs_b64_encode(&body, VS_B64_URL, text);
    vs_buf_puts(&body, "\"}");
    if (ask(KBS_POST, "resource-policy", vs_buf_span(&body), VS_LIT(""), VS_LIT(""), NULL) ==
        KBS_OK)
        (void)ask(KBS_POST, "attestation-policy", vs_buf_span(&body), VS_LIT(""), VS_LIT(""), NULL);
    vs_buf_free(&body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (b.round++ % ROUNDS == 0) {
        stop();
        start();
    }
    if (size == 0)
        return 0;
    const vs_span none = VS_LIT(""), in = vs_span_of(data + 1, size - 1);
    switch (data[0]) {
    case 'R': (void)ask(KBS_POST, "auth", in, none, none, NULL); break;
    case 'A': (void)ask(KBS_POST, "attest", in, vs_buf_span(&b.session), none, NULL); break;
    case 'a': (void)ask(KBS_POST, "attest", in, vs_buf_span(&b.old_session), none, NULL); break;
    case 'P': (void)ask(KBS_POST, "attestation-policy", in, none, none, NULL); break;
    case 'p': (void)ask(KBS_POST, "resource-policy", in, none, none, NULL); break;
    case 'V': (void)ask(KBS_POST, "reference-value", in, none, none, NULL); break;
    case 'T': policy(in); break;
    case 'C': (void)ask(KBS_GET, "resource/a/b/c", none, in, none, NULL); break;
    case 'J': (void)ask(KBS_GET, "resource/a/b/c", none, none, in, NULL); break;
    default: (void)ask((kbs_method)(data[0] % 4), "resource/a/b/c", in, none, in, NULL); break;
    }
    return 0;
}
