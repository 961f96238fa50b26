/* SPDX-License-Identifier: Apache-2.0 */
#include "tee/snp/trust.h"

#include <stdlib.h>

#include "base/io.h"
#include "snp_roots_text.h"

enum { CERTIFICATE_MAX = 16 * 1024, CRL_MAX = 1 << 20, PATH_CAP = 4096 };

struct snp_trust {
    snp_roots roots[SNP_GENERATIONS];
    char **stores, **crls;
    size_t n_stores, n_crls;
};

/* ---- certificates ---------------------------------------------------------------------------- */

vs_code snp_certificate(vs_span bytes, vs_certs **out, vs_error *err)
{
    if (bytes.n > CERTIFICATE_MAX)
        return vs_fail(err, VS_E_LIMIT, "certificate of %zu bytes", bytes.n);
    if (!vs_span_starts(bytes, VS_LIT("-----BEGIN CERTIFICATE-----")))
        return vs_certs_from_der(&bytes, 1, out, err);
    VS_CLEANUP(vs_certs_free) vs_certs *c = NULL;
    VS_TRY(vs_certs_from_pem(bytes, &c, err));
    if (vs_certs_count(c) != 1)
        return vs_fail(err, VS_E_INVALID, "%zu certificates instead of one", vs_certs_count(c));
    *out = c;
    c = NULL;
    return VS_OK;
}

static vs_code pick(const vs_certs *all, size_t i, vs_certs **out, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf der = VS_BUF(CERTIFICATE_MAX);
    VS_TRY(vs_certs_der(all, i, &der, err));
    vs_span one = vs_buf_span(&der);
    return vs_certs_from_der(&one, 1, out, err);
}

static vs_code read_roots(vs_span pem, snp_roots *out, vs_error *err)
{
    VS_CLEANUP(vs_certs_free) vs_certs *all = NULL;
    VS_TRY(vs_certs_from_pem(pem, &all, err));
    if (vs_certs_count(all) != 3)
        return vs_fail(err, VS_E_INVALID, "%zu certificates instead of ASK, ARK and ASVK",
                       vs_certs_count(all));
    VS_TRY(pick(all, 0, &out->ask, err));
    VS_TRY(pick(all, 1, &out->ark, err));
    return pick(all, 2, &out->asvk, err);
}

/* ---- life ------------------------------------------------------------------------------------ */

/* *n counts those that were copied, also on failure. */
static vs_code copy_paths(const char *const *paths, size_t count, char ***out, size_t *n,
                          vs_error *err)
{
    *out = calloc(count + 1, sizeof **out);
    while (*out && *n < count && ((*out)[*n] = strdup(paths[*n])) != NULL)
        (*n)++;
    return *out && *n == count ? VS_OK
                               : vs_fail(err, VS_E_NOMEM, "out of memory for the trust in SNP");
}

static void free_paths(char **paths, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(paths[i]);
    free(paths);
}

#define ENTRY(name) {name##_text, sizeof name##_text},

static vs_code fill(snp_trust *t, const snp_trust_options *options, vs_error *err)
{
    static const vs_span amd[SNP_GENERATIONS] = {EMBEDDED(ENTRY)};
    for (size_t g = 0; g < SNP_GENERATIONS; g++) {
        vs_span pem = options->roots[g].n ? options->roots[g] : amd[g];
        VS_TRY_WRAP(read_roots(pem, &t->roots[g], err), err, "root certificates of %s",
                    snp_generation_name((snp_generation)g));
    }
    VS_TRY(copy_paths(options->stores, options->n_stores, &t->stores, &t->n_stores, err));
    return copy_paths(options->crls, options->n_crls, &t->crls, &t->n_crls, err);
}

vs_code snp_trust_new(const snp_trust_options *options, snp_trust **out, vs_error *err)
{
    static const snp_trust_options defaults;
    VS_CLEANUP(snp_trust_free) snp_trust *t = calloc(1, sizeof *t);
    if (!t)
        return vs_fail(err, VS_E_NOMEM, "out of memory for the trust in SNP");
    VS_TRY(fill(t, options ? options : &defaults, err));
    *out = t;
    t = NULL;
    return VS_OK;
}

void snp_trust_free(snp_trust **t)
{
    if (!*t)
        return;
    for (size_t g = 0; g < SNP_GENERATIONS; g++) {
        vs_certs_free(&(*t)->roots[g].ask);
        vs_certs_free(&(*t)->roots[g].ark);
        vs_certs_free(&(*t)->roots[g].asvk);
    }
    free_paths((*t)->stores, (*t)->n_stores);
    free_paths((*t)->crls, (*t)->n_crls);
    free(*t);
    *t = NULL;
}

const char *snp_trust_store(const snp_trust *t, size_t i)
{
    return t && i < t->n_stores ? t->stores[i] : NULL;
}

const char *snp_trust_crl(const snp_trust *t, size_t i)
{
    return t && i < t->n_crls ? t->crls[i] : NULL;
}

const snp_roots *snp_trust_roots(const snp_trust *t, snp_generation g)
{
    return &t->roots[g];
}

/* ---- stores ---------------------------------------------------------------------------------- */

/* Below a store: vcek/<hardware id>/. Turin's id is the first eight bytes. */
static void put_directory(const snp_report *r, const char *store, vs_buf *path)
{
    vs_buf_printf(path, "%s/vcek/", store);
    vs_hex_encode(path, vs_span_head(r->chip_id, r->generation == SNP_TURIN ? 8 : 64));
    vs_buf_putc(path, '/');
}

static void put_name(const snp_report *r, vs_buf *path)
{
    const snp_tcb *t = &r->reported;
    vs_buf_printf(path, "bl%02u_tee%02u_snp%02u_ucode%02u", t->bootloader, t->tee, t->snp,
                  t->microcode);
    if (r->generation == SNP_TURIN)
        vs_buf_printf(path, "_fmc%02u", t->fmc);
    vs_buf_puts(path, "_vcek.der");
}

static vs_code read_vcek(const vs_buf *path, vs_certs **out, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf bytes = VS_BUF(CERTIFICATE_MAX);
    VS_TRY(vs_buf_check(path, err));
    VS_TRY(vs_read_file((const char *)path->p, &bytes, err));
    VS_TRY_WRAP(snp_certificate(vs_buf_span(&bytes), out, err), err, "%s", (const char *)path->p);
    return VS_OK;
}

/* A certificate for exactly this firmware, else the chip's only one. */
static vs_code search_store(const char *store, const snp_report *r, vs_certs **out, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf path = VS_BUF(PATH_CAP);
    put_directory(r, store, &path);
    size_t directory = path.n;
    put_name(r, &path);
    vs_code code = read_vcek(&path, out, err);
    if (code != VS_E_NOT_FOUND)
        return code;
    vs_buf_truncate(&path, directory);
    vs_buf_puts(&path, "vcek.der");
    return read_vcek(&path, out, err);
}

vs_code snp_trust_find_vcek(const snp_trust *t, const snp_report *r, vs_certs **out, vs_error *err)
{
    static const uint8_t masked[64];
    if (t->n_stores == 0)
        return vs_fail(err, VS_E_NOT_FOUND,
                       "the evidence has no VCEK and no offline store is configured (AMD's key "
                       "distribution service is not asked)");
    if (vs_span_eq(r->chip_id, vs_span_of(masked, sizeof masked)))
        return vs_fail(err, VS_E_NOT_FOUND,
                       "the evidence has no VCEK, and none can be found for a masked chip id");
    for (size_t i = 0; i < t->n_stores; i++) {
        vs_code code = search_store(t->stores[i], r, out, err);
        if (code != VS_E_NOT_FOUND)
            return code;
    }
    VS_CLEANUP(vs_buf_free) vs_buf wanted = VS_BUF(PATH_CAP);
    put_directory(r, t->stores[0], &wanted);
    put_name(r, &wanted);
    VS_TRY(vs_buf_check(&wanted, err));
    return vs_fail(err, VS_E_NOT_FOUND,
                   "the evidence has no VCEK and the offline store lacks it: %s",
                   (const char *)wanted.p);
}

/* ---- revocation -------------------------------------------------------------------------------
 */

/* Whose list it is; SNP_GENERATIONS: nobody's. */
static size_t issuer_of(const snp_trust *t, const vs_crl *crl)
{
    size_t g = 0;
    while (g < SNP_GENERATIONS && vs_crl_issued(crl, t->roots[g].ark, 0, NULL) != VS_OK)
        g++;
    return g;
}

static vs_code check_list(const snp_trust *t, const char *path, snp_generation g,
                          const vs_certs *chain, int64_t now, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf der = VS_BUF(CRL_MAX);
    VS_CLEANUP(vs_crl_free) vs_crl *crl = NULL;
    int64_t made, next;
    VS_TRY(vs_read_file(path, &der, err));
    VS_TRY(vs_crl_from_der(vs_buf_span(&der), &crl, err));
    size_t whose = issuer_of(t, crl);
    if (whose == SNP_GENERATIONS)
        return vs_fail(err, VS_E_UNTRUSTED, "it is signed by none of AMD's roots");
    if (whose != (size_t)g)
        return VS_OK;
    VS_TRY(vs_crl_dates(crl, &made, &next, err));
    if (now < made || now >= next)
        return vs_fail(err, VS_E_EXPIRED, "it is %s; fetch the current one",
                       now < made ? "not yet valid" : "expired");
    return vs_crl_check(crl, chain, 1, err);
}

vs_code snp_trust_check_revocation(const snp_trust *t, snp_generation g, const vs_certs *chain,
                                   int64_t now, vs_error *err)
{
    for (size_t i = 0; i < t->n_crls; i++)
        VS_TRY_WRAP(check_list(t, t->crls[i], g, chain, now, err), err, "revocation list %s",
                    t->crls[i]);
    return VS_OK;
}
