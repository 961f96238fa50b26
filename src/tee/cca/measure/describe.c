/* SPDX-License-Identifier: Apache-2.0 */
#include "tee/cca/measure/describe.h"

#include "tee/cca/measure/host.h"
#include "tee/cca/measure/kernel.h"
#include "value/json.h"
#include "value/toml.h"

/* ---- numbers ----------------------------------------------------------------------------------
 */

static vs_code to_number(const char *key, vs_val v, uint64_t *out, vs_error *err)
{
    bool ok = vs_is_int(v) ? v.u.i >= 0
                           : v.kind == VS_STRING && vs_span_number(vs_text(v), UINT64_MAX, out);
    if (!ok)
        return vs_fail(err, VS_E_INVALID,
                       "\"%s\" must be a number from 0 to 2^64 - 1, as text where it is beyond "
                       "2^63 - 1",
                       key);
    if (vs_is_int(v))
        *out = (uint64_t)v.u.i;
    return VS_OK;
}

static vs_code need_number(vs_val table, const char *key, uint64_t *out, vs_error *err)
{
    vs_val v = vs_getc(table, key);
    if (!vs_defined(v))
        return vs_fail(err, VS_E_INVALID, "\"%s\" is missing", key);
    return to_number(key, v, out, err);
}

/* ---- tables -----------------------------------------------------------------------------------
 */

/* `known` ends with NULL. */
static vs_code check_keys(vs_val table, const char *const *known, vs_error *err)
{
    if (table.kind != VS_OBJECT)
        return vs_fail(err, VS_E_INVALID, "must be a table, not a %s", vs_kind_name(table.kind));
    for (VS_OBJ_FOR (member, table)) {
        const char *const *k = known;
        while (*k && !vs_span_is(vs_text(member->key), *k))
            k++;
        if (!*k)
            return vs_fail(err, VS_E_INVALID, "unknown key \"%.*s\"",
                           VS_FMT(vs_span_head(vs_text(member->key), 40)));
    }
    return VS_OK;
}

typedef vs_code (*reader)(vs_val table, cca_description *d, vs_error *err);

/* Each table of the array `key`, at most `most`. */
static vs_code each(vs_val top, const char *key, size_t most, reader read, cca_description *d,
                    vs_error *err)
{
    vs_val list;
    VS_TRY(vs_may(top, key, VS_ARRAY, &list, err));
    if (list.len > most)
        return vs_fail(err, VS_E_LIMIT, "%u times [[%s]]: at most %zu", list.len, key, most);
    for (uint32_t i = 0; i < list.len; i++)
        VS_TRY_WRAP(read(list.u.items[i], d, err), err, "[[%s]] number %u", key, i + 1);
    return VS_OK;
}

static vs_code read_range(vs_val table, cca_range *ranges, size_t *n, vs_error *err)
{
    static const char *const keys[] = {"base", "size", NULL};
    cca_range r;
    VS_TRY(check_keys(table, keys, err));
    VS_TRY(need_number(table, "base", &r.base, err));
    VS_TRY(need_number(table, "size", &r.size, err));
    ranges[(*n)++] = r;
    return VS_OK;
}

static vs_code read_ram(vs_val table, cca_description *d, vs_error *err)
{
    return read_range(table, d->image.ram, &d->image.n_ram, err);
}

static vs_code read_rom(vs_val table, cca_description *d, vs_error *err)
{
    return read_range(table, d->image.rom, &d->image.n_rom, err);
}

static vs_code read_unmeasured(vs_val table, cca_description *d, vs_error *err)
{
    return read_range(table, d->image.unmeasured, &d->image.n_unmeasured, err);
}

static vs_code read_data(vs_val table, cca_description *d, vs_error *err)
{
    static const char *const keys[] = {"address", "file", "kernel", NULL};
    cca_described_file f = {0};
    vs_val file, kernel;
    VS_TRY(check_keys(table, keys, err));
    VS_TRY(need_number(table, "address", &f.address, err));
    VS_TRY(vs_need(table, "file", VS_STRING, &file, err));
    VS_TRY(vs_may(table, "kernel", VS_BOOL, &kernel, err));
    f.path = vs_text(file);
    f.kernel = vs_is_true(kernel);
    if (f.path.n == 0 || memchr(f.path.p, 0, f.path.n))
        return vs_fail(err, VS_E_INVALID, "\"file\" is no name of a file");
    d->files[d->n_files++] = f;
    return VS_OK;
}

static vs_code read_rec(vs_val table, cca_description *d, vs_error *err)
{
    static const char *const keys[] = {"pc", "gprs", "runnable", NULL};
    cca_rec rec = {0};
    vs_val gprs, runnable;
    VS_TRY(check_keys(table, keys, err));
    VS_TRY(need_number(table, "pc", &rec.pc, err));
    VS_TRY(vs_may(table, "gprs", VS_ARRAY, &gprs, err));
    VS_TRY(vs_may(table, "runnable", VS_BOOL, &runnable, err));
    if (gprs.len > CCA_REC_GPRS)
        return vs_fail(err, VS_E_INVALID, "%u registers: at most %d, x0 to x7", gprs.len,
                       CCA_REC_GPRS);
    for (uint32_t i = 0; i < gprs.len; i++)
        VS_TRY(to_number("gprs", gprs.u.items[i], &rec.gprs[i], err));
    rec.runnable = !vs_defined(runnable) || runnable.u.b;
    d->image.recs[d->image.n_recs++] = rec;
    return VS_OK;
}

/* ---- the whole --------------------------------------------------------------------------------
 */

static vs_code read_params(vs_val top, cca_realm_params *p, vs_error *err)
{
    vs_val hash, rmm, realm;
    cca_host h;
    uint64_t flags = 0;
    VS_TRY(vs_need(top, "hash", VS_STRING, &hash, err));
    VS_TRY(vs_need(top, "rmm", VS_STRING, &rmm, err));
    VS_TRY(vs_need(top, "realm", VS_OBJECT, &realm, err));
    p->hash = vs_hash_of_name(vs_text(hash));
    if (p->hash == VS_HASH_NONE)
        return vs_fail(err, VS_E_INVALID, "\"hash\" must be sha256, sha384 or sha512");
    if (!cca_rmm_of_name(vs_text(rmm), &p->rmm))
        return vs_fail(err, VS_E_INVALID, "\"rmm\" must be 1.0, 1.1 or 2.0");
    VS_TRY_WRAP(cca_host_read(realm, &h, err), err, "[realm]");
    if (vs_defined(vs_getc(top, "flags")))
        VS_TRY(need_number(top, "flags", &flags, err));
    VS_TRY_WRAP(cca_host_params(&h, flags, p, err), err, "[realm]");
    return VS_OK;
}

vs_code cca_description_parse(vs_arena *a, vs_span toml, cca_description *out, vs_error *err)
{
    static const char *const keys[] = {"hash", "rmm",  "flags",      "realm", "ram",
                                       "rom",  "data", "unmeasured", "rec",   NULL};
    vs_val top;
    *out = (cca_description){0};
    VS_TRY(vs_toml_parse(a, toml, &top, err));
    VS_TRY(check_keys(top, keys, err));
    VS_TRY(read_params(top, &out->image.params, err));
    VS_TRY(each(top, "ram", CCA_RANGES_MAX, read_ram, out, err));
    VS_TRY(each(top, "rom", CCA_RANGES_MAX, read_rom, out, err));
    VS_TRY(each(top, "data", CCA_BLOBS_MAX, read_data, out, err));
    VS_TRY(each(top, "unmeasured", CCA_RANGES_MAX, read_unmeasured, out, err));
    return each(top, "rec", CCA_RECS_MAX, read_rec, out, err);
}

vs_code cca_description_add(cca_description *d, size_t i, const char *name, const cca_source *s,
                            vs_error *err)
{
    uint64_t at = d->files[i].address;
    cca_kernel k;
    if (d->files[i].kernel) {
        VS_TRY(cca_kernel_read(s, &k, err));
        if (at > UINT64_MAX - k.text_offset)
            return vs_fail(err, VS_E_INVALID, "address 0x%llx is too high for a kernel",
                           (unsigned long long)at);
        at += k.text_offset;
    }
    return cca_image_add_blob(&d->image, name, at, *s, err);
}
