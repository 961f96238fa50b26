/* SPDX-License-Identifier: Apache-2.0 */
#include "client/attester.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/enc.h"
#include "base/io.h"
#include "base/log.h"
#include "client/tsm.h"
#include "client/tsm_socket.h"
#include "tee/cca/token.h"

#define DEFAULT_TSM_PATH "/sys/kernel/config/tsm/report"
#define TSM_PATH_ENV     "VOUCHSAFE_TSM_PATH"
#define CCA_PROVIDER     "arm_cca_guest\n"

enum { REPORT_DATA = 64 };

/* A way to reach a device. */
typedef struct reach {
    vs_code (*provider)(const char *path, vs_buf *provider, vs_error *err);
    vs_code (*report)(const char *path, vs_span inblob, vs_buf *provider, vs_buf *outblob,
                      vs_error *err);
} reach;

static const reach by_directory = {tsm_dir_provider, tsm_dir_report};
static const reach by_socket = {tsm_sock_provider, tsm_sock_report};

struct attester {
    const reach *tsm; /* NULL = the sample attester */
    char *path;
};

static vs_code check_provider(const vs_buf *provider, const char *path, vs_error *err)
{
    vs_span p = vs_buf_span(provider);
    if (vs_span_is(p, CCA_PROVIDER))
        return VS_OK;
    return vs_fail(
        err, VS_E_UNSUPPORTED,
        "%s reports for \"%.*s\", this program attests Arm CCA realms (arm_cca_guest) only", path,
        VS_FMT(vs_span_trim(p)));
}

static vs_code probe(attester *a, vs_error *err)
{
    struct stat st;
    if (stat(a->path, &st) != 0)
        return vs_fail_errno(err, errno == ENOENT || errno == ENOTDIR ? VS_E_NOT_FOUND : VS_E_IO,
                             errno, "%s", a->path);
    if (!S_ISDIR(st.st_mode) && !S_ISSOCK(st.st_mode))
        return vs_fail(err, VS_E_INVALID, "%s is neither a directory nor a socket", a->path);
    a->tsm = S_ISSOCK(st.st_mode) ? &by_socket : &by_directory;
    VS_CLEANUP(vs_buf_free) vs_buf provider = VS_BUF(VS_TSM_PROVIDER_MAX);
    VS_TRY(a->tsm->provider(a->path, &provider, err));
    return check_provider(&provider, a->path, err);
}

/* Only the absence of any device may lead to the sample attester, and only when that was asked for;
 * a path that somebody named must be there. */
static vs_code settle(attester *a, const attester_config *cfg, bool named, vs_error *err)
{
    vs_code code = probe(a, err);
    if (code != VS_E_NOT_FOUND || named) {
        if (code != VS_OK)
            (void)vs_wrap(err, "cannot use the attestation device");
        return code;
    }
    if (!cfg->allow_sample) {
        (void)vs_wrap(err,
                      "no TEE found: looked for an Arm CCA realm's report device (%s names "
                      "another). --allow-sample or "
                      "KBS_CLIENT_ALLOW_SAMPLE=1 allows the sample attester, which proves nothing",
                      TSM_PATH_ENV);
        return code;
    }
    vs_log(VS_LOG_WARN, "attester", "no TEE found: using the sample attester, which proves nothing",
           NULL);
    a->tsm = NULL;
    return VS_OK;
}

vs_code attester_detect(const attester_config *cfg, attester **out, vs_error *err)
{
    const char *path = cfg->tsm_path ? cfg->tsm_path : getenv(TSM_PATH_ENV);
    bool named = path && *path;
    attester *a = calloc(1, sizeof *a);
    char *copy = strdup(named ? path : DEFAULT_TSM_PATH);
    if (!a || !copy) {
        free(a);
        free(copy);
        return vs_fail(err, VS_E_NOMEM, "cannot make an attester");
    }
    a->path = copy;
    vs_code code = settle(a, cfg, named, err);
    if (code != VS_OK)
        attester_free(&a);
    else
        *out = a;
    return code;
}

void attester_free(attester **a)
{
    if (!*a)
        return;
    free((*a)->path);
    free(*a);
    *a = NULL;
}

const char *attester_tee(const attester *a)
{
    return a->tsm ? "cca" : "sample";
}

/* kbs.md 1.6, 1.7: the digest as it is, not padded. */
static vs_code sample_evidence(vs_span report_data, vs_buf *json, vs_error *err)
{
    vs_buf_puts(json, "{\"svn\":\"1\",\"report_data\":\"");
    vs_b64_encode(json, VS_B64_STD, report_data);
    vs_buf_puts(json, "\"}");
    return vs_buf_check(json, err);
}

static vs_code cca_token_of(const attester *a, vs_span report_data, vs_buf *token, vs_error *err)
{
    uint8_t padded[REPORT_DATA] = {0};
    if (report_data.n)
        memcpy(padded, report_data.p, report_data.n);
    VS_CLEANUP(vs_buf_free) vs_buf provider = VS_BUF(VS_TSM_PROVIDER_MAX);
    VS_TRY(a->tsm->report(a->path, vs_span_of(padded, sizeof padded), &provider, token, err));
    VS_TRY(check_provider(&provider, a->path, err));
    if (token->n == 0)
        return vs_fail(err, VS_E_IO, "%s gave an empty report", a->path);
    return VS_OK;
}

/* cca.md 4.1: the token as an array of numbers. */
static vs_code cca_evidence(const attester *a, vs_span report_data, vs_buf *json, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf token = VS_BUF(VS_TSM_OUTBLOB_MAX);
    VS_TRY(cca_token_of(a, report_data, &token, err));
    vs_buf_puts(json, "{\"token\":[");
    for (size_t i = 0; i < token.n; i++)
        vs_buf_printf(json, i ? ",%u" : "%u", token.p[i]);
    vs_buf_puts(json, "]}");
    return vs_buf_check(json, err);
}

vs_code attester_evidence(attester *a, vs_span report_data, vs_buf *json, vs_error *err)
{
    if (report_data.n > REPORT_DATA)
        return vs_fail(err, VS_E_INVALID, "challenge of %zu bytes: must be %d bytes or less",
                       report_data.n, REPORT_DATA);
    if (!a->tsm)
        return sample_evidence(report_data, json, err);
    VS_TRY_WRAP(cca_evidence(a, report_data, json, err), err, "getting a CCA report");
    return VS_OK;
}

/* The token is the realm's own, fresh and from the device: its signatures are the verifier's
 * business. */
static vs_code check_rpv(attester *a, vs_span digest, vs_error *err)
{
    VS_CLEANUP(vs_arena_free) vs_arena arena;
    vs_arena_init(&arena, 0);
    VS_CLEANUP(vs_buf_free) vs_buf bytes = VS_BUF(VS_TSM_OUTBLOB_MAX);
    uint8_t challenge[REPORT_DATA], want[CCA_CHALLENGE] = {0};
    cca_token token;
    if (digest.n != 32 && digest.n != 48 && digest.n != CCA_CHALLENGE)
        return vs_fail(err, VS_E_INVALID, "a digest of %zu bytes; CCA can hold 32, 48 or 64",
                       digest.n);
    vs_random(challenge, sizeof challenge);
    VS_TRY(cca_token_of(a, vs_span_of(challenge, sizeof challenge), &bytes, err));
    VS_TRY(cca_token_decode(&arena, vs_buf_span(&bytes), &token, err));
    if (!vs_span_eq(token.realm.challenge, vs_span_of(challenge, sizeof challenge)))
        return vs_fail(err, VS_E_MISMATCH, "%s reports for another challenge", a->path);
    memcpy(want, digest.p, digest.n);
    if (!vs_span_eq(token.realm.rpv, vs_span_of(want, sizeof want)))
        return vs_fail(err, VS_E_MISMATCH,
                       "the realm personalization value is not the init data's digest");
    return VS_OK;
}

vs_code attester_check_init_data(attester *a, vs_span digest, vs_error *err)
{
    if (!a->tsm)
        return vs_fail(err, VS_E_UNSUPPORTED, "the sample attester vouches for no init data");
    VS_TRY_WRAP(check_rpv(a, digest, err), err, "init data");
    return VS_OK;
}
