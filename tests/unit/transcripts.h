/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the clients of each version of the KBS protocol write, member for member as the kbs-types
 * release of that version serialises it: for tests of the server, and of our own client.
 */
#ifndef TEST_TRANSCRIPTS_H
#define TEST_TRANSCRIPTS_H

#include "testing.h"

#include "crypto/crypto.h"
#include "value/json.h"

/* $NONCE, $KEY and $REPORT stand for what differs from run to run. */
typedef struct transcript {
    const char *version, *request, *attestation;
    vs_key_type key;
    const char *alg;
    const char *additional; /* member of what the evidence is bound to; NULL = none */
} transcript;

#define OLD_REQUEST(v) "{\"version\":\"" v "\",\"tee\":\"sample\",\"extra-params\":\"\"}"
#define NEW_REQUEST(v)                                                                             \
    "{\"version\":\"" v "\",\"tee\":\"sample\",\"extra-params\":{\"supported-hash-algorithms\":"   \
    "[\"sha256\",\"sha384\",\"sha512\",\"sm3\"]}}"
#define SINGLE "{\"tee-pubkey\":$KEY,\"tee-evidence\":{\"report_data\":\"$REPORT\",\"svn\":\"1\"}}"
#define COMPOSITE                                                                                  \
    "{\"tee-pubkey\":$KEY,\"tee-evidence\":{\"additional_evidence\":\"\",\"primary_evidence\":"    \
    "{\"report_data\":\"$REPORT\",\"svn\":\"1\"}}}"
#define RUNTIME                                                                                    \
    "{\"init-data\":null,\"runtime-data\":{\"nonce\":\"$NONCE\",\"tee-pubkey\":$KEY},"             \
    "\"tee-evidence\":{\"primary_evidence\":{\"report_data\":\"$REPORT\",\"svn\":\"1\"},"          \
    "\"additional_evidence\":\"\"}}"

static const transcript transcripts[] = {
    {"0.1.1", OLD_REQUEST("0.1.1"), SINGLE, VS_KEY_RSA, "RSA1_5", NULL},
    {"0.2.0", OLD_REQUEST("0.2.0"), SINGLE, VS_KEY_P256, "ECDH-ES+A256KW", NULL},
    {"0.3.0", OLD_REQUEST("0.3.0"), COMPOSITE, VS_KEY_P256, "ECDH-ES+A256KW", ""},
    {"0.4.0", NEW_REQUEST("0.4.0"), RUNTIME, VS_KEY_P256, "ECDH-ES+A256KW", ""},
};

/* A form with its holes filled, on the arena. */
static inline vs_span transcript_fill(vs_arena *a, const char *form, vs_span nonce, vs_val jwk,
                                      vs_span report)
{
    vs_buf out = VS_BUF(1 << 16), key = VS_BUF(4096);
    vs_json_print(&key, jwk);
    const struct {
        const char *name;
        vs_span value;
    } holes[] = {{"$NONCE", nonce}, {"$KEY", vs_buf_span(&key)}, {"$REPORT", report}};
    for (const char *at = form; *at;) {
        size_t h = 0;
        while (h < VS_COUNT(holes) && strncmp(at, holes[h].name, strlen(holes[h].name)) != 0)
            h++;
        if (h == VS_COUNT(holes)) {
            vs_buf_putc(&out, *at++);
        } else {
            vs_buf_put(&out, holes[h].value);
            at += strlen(holes[h].name);
        }
    }
    vs_span body = vs_dup(a, vs_buf_span(&out));
    vs_buf_free(&out);
    vs_buf_free(&key);
    return body;
}

#endif
