/* SPDX-License-Identifier: Apache-2.0 */
#include "rvps/revocation.h"

#include "base/clock.h"
#include "base/io.h"

typedef struct lists {
    vs_crl *of[REVOCATION_LISTS_MAX];
    size_t n;
} lists;

static void free_lists(lists *l)
{
    for (size_t i = 0; i < l->n; i++)
        vs_crl_free(&l->of[i]);
}

/* ---- reading --------------------------------------------------------------------------------- */

static bool is_pem(vs_span text)
{
    static const char begin[] = "-----BEGIN X509 CRL-----";
    return text.n && memmem(text.p, text.n, begin, sizeof begin - 1) != NULL;
}

/* The next one of the file, number `at` of it; VS_E_NOT_FOUND: it has no more. */
static vs_code read_list(vs_span text, bool pem, size_t at, vs_crl **out, vs_error *err)
{
    if (pem)
        return vs_crl_from_pem(text, at, out, err);
    return at == 0 ? vs_crl_from_der(text, out, err) : VS_E_NOT_FOUND;
}

static vs_code read_file(const char *path, lists *l, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf file = VS_BUF(REVOCATION_FILE_MAX);
    VS_TRY(vs_read_file(path, &file, err));
    vs_span text = vs_buf_span(&file);
    bool pem = is_pem(text);
    for (size_t at = 0;; at++) {
        vs_crl *one = NULL;
        vs_error why = {0};
        vs_code code = read_list(text, pem, at, &one, &why);
        if (code == VS_E_NOT_FOUND && at > 0)
            return VS_OK;
        if (code != VS_OK) {
            if (err)
                *err = why;
            return code == VS_E_NOT_FOUND ? VS_E_PARSE : code;
        }
        if (l->n == REVOCATION_LISTS_MAX) {
            vs_crl_free(&one);
            return vs_fail(err, VS_E_LIMIT, "more than %d revocation lists", REVOCATION_LISTS_MAX);
        }
        l->of[l->n++] = one;
    }
}

static vs_code read_all(char *const *files, size_t n, lists *l, vs_error *err)
{
    for (size_t i = 0; i < n; i++)
        VS_TRY_WRAP(read_file(files[i], l, err), err, "revocation list %s", files[i]);
    return VS_OK;
}

vs_code revocation_readable(char *const *files, size_t n, vs_error *err)
{
    VS_CLEANUP(free_lists) lists l = {.n = 0};
    return read_all(files, n, &l, err);
}

/* ---- checking -------------------------------------------------------------------------------- */

/* An old list that names the certificate counts as well: nothing is ever taken off, but what has
 * expired by itself. */
static vs_code check_one(const lists *l, const vs_certs *path, size_t i, int64_t now, vs_error *err)
{
    int64_t latest = INT64_MIN;
    bool known = false, current = false;
    for (size_t k = 0; k < l->n; k++) {
        int64_t made, next;
        if (vs_crl_issued(l->of[k], path, i + 1, NULL) != VS_OK)
            continue;
        VS_TRY(vs_crl_complete(l->of[k], path, i + 1, err));
        VS_TRY(vs_crl_check(l->of[k], path, i, err));
        VS_TRY(vs_crl_dates(l->of[k], &made, &next, err));
        known = true;
        current = current || (made <= now && now < next);
        latest = next > latest ? next : latest;
    }
    if (!known)
        return vs_fail(err, VS_E_UNTRUSTED, "no revocation list of its issuer is configured");
    if (!current) {
        char when[VS_TIME_TEXT];
        return vs_fail(err, VS_E_EXPIRED,
                       "the revocation list of its issuer is not current (the next one %s %s): "
                       "fetch it",
                       latest <= now ? "was due" : "is due", vs_time_rfc3339(latest, when));
    }
    return VS_OK;
}

vs_code revocation_check(char *const *files, size_t n, const vs_certs *path, int64_t now,
                         vs_error *err)
{
    VS_CLEANUP(free_lists) lists l = {.n = 0};
    if (n == 0)
        return VS_OK;
    VS_TRY(read_all(files, n, &l, err));
    for (size_t i = 0; i + 1 < vs_certs_count(path); i++) {
        VS_CLEANUP(vs_buf_free) vs_buf subject = VS_BUF(1 << 16);
        VS_TRY(vs_certs_subject(path, i, &subject, err));
        VS_TRY_WRAP(check_one(&l, path, i, now, err), err, "revocation of %.*s",
                    VS_FMT(vs_span_head(vs_buf_span(&subject), 80)));
    }
    return VS_OK;
}
