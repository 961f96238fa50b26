/* SPDX-License-Identifier: Apache-2.0 */
#include "tee/snp/report.h"

#include "tee/cursor.h"

enum {
    VERSION_MIN = 3,
    VERSION_MAX = 5,
    VERSION_MITIGATIONS = 5, /* the first with the two mitigation vectors */
    ECDSA_P384_SHA384 = 1,
    MASK_CHIP_KEY = 1 << 1,
    KEY_INFO_KNOWN = 0x1f,
    SCALAR_FIELD = 72, /* a scalar of the signature with its padding */
};

const char *snp_generation_name(snp_generation g)
{
    static const char *const names[] = {"Milan", "Genoa", "Turin"};
    return names[g];
}

/* ---- bytes to fields ------------------------------------------------------------------------- */

static vs_code find_generation(uint8_t family, uint8_t model, snp_generation *out, vs_error *err)
{
    static const struct {
        uint8_t family, from, to;
        snp_generation generation;
    } known[] = {
        {0x19, 0x00, 0x0f, SNP_MILAN},
        {0x19, 0x10, 0x1f, SNP_GENOA},
        {0x19, 0xa0, 0xaf, SNP_GENOA},
        {0x1a, 0x00, 0x11, SNP_TURIN},
    };
    for (size_t i = 0; i < VS_COUNT(known); i++) {
        if (family == known[i].family && model >= known[i].from && model <= known[i].to) {
            *out = known[i].generation;
            return VS_OK;
        }
    }
    return vs_fail(err, VS_E_UNSUPPORTED,
                   "no root certificate for processors of family 0x%02x, model 0x%02x", family,
                   model);
}

/* The eight bytes of a TCB version; unused ones must be zero. */
static vs_code read_tcb(vs_span in, snp_generation g, snp_tcb *out, vs_error *err)
{
    vs_cursor c = vs_cursor_of(in, err);
    *out = (snp_tcb){0};
    if (g == SNP_TURIN)
        out->fmc = le_u8(&c);
    out->bootloader = le_u8(&c);
    out->tee = le_u8(&c);
    if (g == SNP_TURIN) {
        out->snp = le_u8(&c);
        vs_cursor_zeros(&c, 3, "reserved part of a TCB version");
    } else {
        vs_cursor_zeros(&c, 4, "reserved part of a TCB version");
        out->snp = le_u8(&c);
    }
    out->microcode = le_u8(&c);
    return vs_cursor_end(&c);
}

/* Little endian with padding, to big endian without. */
static void read_scalar(vs_cursor *c, uint8_t out[SNP_SCALAR])
{
    vs_span s = vs_cursor_take(c, SNP_SCALAR);
    for (size_t i = 0; i < s.n; i++)
        out[SNP_SCALAR - 1 - i] = s.p[i];
    vs_cursor_zeros(c, SCALAR_FIELD - SNP_SCALAR, "padding of the signature");
}

static vs_code check_key_info(uint32_t info, snp_signer *out, vs_error *err)
{
    unsigned signer = info >> 2 & 7;
    if (info & ~(uint32_t)KEY_INFO_KNOWN)
        return vs_fail(err, VS_E_UNSUPPORTED, "reserved bits of the key information: 0x%08x", info);
    if (info & MASK_CHIP_KEY)
        return vs_fail(err, VS_E_INVALID,
                       "the report is not signed: the platform masks its chip key");
    if (signer != SNP_BY_VCEK && signer != SNP_BY_VLEK)
        return vs_fail(err, VS_E_INVALID, "the report is signed by neither VCEK nor VLEK (%u)",
                       signer);
    *out = (snp_signer)signer;
    return VS_OK;
}

static vs_code check_version(uint32_t version, vs_error *err)
{
    if (version < VERSION_MIN)
        return vs_fail(err, VS_E_UNSUPPORTED,
                       "report version %u does not tell the processor; update the firmware to one "
                       "that makes version %d or later",
                       version, VERSION_MIN);
    if (version > VERSION_MAX)
        return vs_fail(err, VS_E_UNSUPPORTED, "report version %u, known are %d to %d", version,
                       VERSION_MIN, VERSION_MAX);
    return VS_OK;
}

static vs_code check_policy(uint64_t policy, vs_error *err)
{
    if (!(policy & SNP_POLICY_ALWAYS))
        return vs_fail(err, VS_E_INVALID, "bit 17 of the guest policy must be set");
    if (policy & ~(uint64_t)SNP_POLICY_KNOWN)
        return vs_fail(err, VS_E_UNSUPPORTED,
                       "guest policy 0x%llx has bits whose meaning is not known",
                       (unsigned long long)policy);
    return VS_OK;
}

/* What depends on several fields, or on what a field says. */
typedef struct fields {
    uint32_t algorithm, key_info;
    uint8_t family, model;
    vs_span tcbs[4]; /* current, reported, committed, launch */
} fields;

static void read_fields(vs_cursor *c, snp_report *r, fields *f)
{
    r->version = le_u32(c);
    (void)le_u32(c); /* guest SVN */
    r->policy = le_u64(c);
    (void)vs_cursor_take(c, 16 + 16); /* family and image id */
    r->vmpl = le_u32(c);
    f->algorithm = le_u32(c);
    f->tcbs[0] = vs_cursor_take(c, 8);
    r->platform = le_u64(c);
    f->key_info = le_u32(c);
    vs_cursor_zeros(c, 4, "reserved part");
    r->report_data = vs_cursor_take(c, 64);
    r->measurement = vs_cursor_take(c, 48);
    r->host_data = vs_cursor_take(c, 32);
    (void)vs_cursor_take(c, 48 + 48 + 32 + 32); /* digests of keys, report ids */
    f->tcbs[1] = vs_cursor_take(c, 8);
    f->family = le_u8(c);
    f->model = le_u8(c);
    (void)le_u8(c); /* stepping */
    vs_cursor_zeros(c, 21, "reserved part");
    r->chip_id = vs_cursor_take(c, 64);
    f->tcbs[2] = vs_cursor_take(c, 8);
    for (unsigned i = 0; i < 2; i++) { /* firmware: current and committed */
        (void)vs_cursor_take(c, 3);
        vs_cursor_zeros(c, 1, "reserved part");
    }
    f->tcbs[3] = vs_cursor_take(c, 8);
    if (r->version >= VERSION_MITIGATIONS)
        (void)vs_cursor_take(c, 8 + 8);
    vs_cursor_zeros(c, SNP_SIGNED_SIZE - c->at, "reserved part");
    read_scalar(c, r->signature);
    read_scalar(c, r->signature + SNP_SCALAR);
    vs_cursor_zeros(c, vs_cursor_left(c), "reserved part");
}

static vs_code check_fields(snp_report *r, const fields *f, vs_error *err)
{
    VS_TRY(check_policy(r->policy, err));
    VS_TRY(check_key_info(f->key_info, &r->signer, err));
    if (f->algorithm != ECDSA_P384_SHA384)
        return vs_fail(err, VS_E_UNSUPPORTED, "signature algorithm %u, known is %d", f->algorithm,
                       ECDSA_P384_SHA384);
    VS_TRY(find_generation(f->family, f->model, &r->generation, err));
    for (size_t i = 0; i < VS_COUNT(f->tcbs); i++) {
        snp_tcb tcb;
        VS_TRY(read_tcb(f->tcbs[i], r->generation, &tcb, err));
        if (i == 1)
            r->reported = tcb;
    }
    return VS_OK;
}

vs_code snp_report_parse(vs_span bytes, snp_report *out, vs_error *err)
{
    snp_report r = {0};
    fields f = {0};
    if (bytes.n != SNP_REPORT_SIZE)
        return vs_fail(err, VS_E_PARSE, "SNP report of %zu bytes instead of %d", bytes.n,
                       SNP_REPORT_SIZE);
    vs_cursor version = vs_cursor_of(bytes, err), c = vs_cursor_of(bytes, err);
    VS_TRY_WRAP(check_version(le_u32(&version), err), err, "SNP report");
    read_fields(&c, &r, &f);
    VS_TRY_WRAP(vs_cursor_end(&c), err, "SNP report");
    VS_TRY_WRAP(check_fields(&r, &f, err), err, "SNP report");
    r.signed_part = vs_span_head(bytes, SNP_SIGNED_SIZE);
    *out = r;
    return VS_OK;
}

/* ---- JSON to bytes --------------------------------------------------------------------------- */

/* The JSON form is a table of members and where they go. */
typedef enum kind { UINT, BYTES, TCB, FIRMWARE } kind;
typedef struct member {
    const char *key;
    kind kind;
    uint16_t at, n;
    uint8_t from; /* the first version that has it; before, it must be null, zero or missing */
} member;

static const member members[] = {
    {"version", UINT, 0x000, 4, 0},
    {"guest_svn", UINT, 0x004, 4, 0},
    {"policy", UINT, 0x008, 8, 0},
    {"family_id", BYTES, 0x010, 16, 0},
    {"image_id", BYTES, 0x020, 16, 0},
    {"vmpl", UINT, 0x030, 4, 0},
    {"sig_algo", UINT, 0x034, 4, 0},
    {"current_tcb", TCB, 0x038, 8, 0},
    {"plat_info", UINT, 0x040, 8, 0},
    {"key_info", UINT, 0x048, 4, 0},
    {"report_data", BYTES, 0x050, 64, 0},
    {"measurement", BYTES, 0x090, 48, 0},
    {"host_data", BYTES, 0x0c0, 32, 0},
    {"id_key_digest", BYTES, 0x0e0, 48, 0},
    {"author_key_digest", BYTES, 0x110, 48, 0},
    {"report_id", BYTES, 0x140, 32, 0},
    {"report_id_ma", BYTES, 0x160, 32, 0},
    {"reported_tcb", TCB, 0x180, 8, 0},
    {"cpuid_fam_id", UINT, 0x188, 1, VERSION_MIN},
    {"cpuid_mod_id", UINT, 0x189, 1, VERSION_MIN},
    {"cpuid_step", UINT, 0x18a, 1, VERSION_MIN},
    {"chip_id", BYTES, 0x1a0, 64, 0},
    {"committed_tcb", TCB, 0x1e0, 8, 0},
    {"current", FIRMWARE, 0x1e8, 3, 0},
    {"committed", FIRMWARE, 0x1ec, 3, 0},
    {"launch_tcb", TCB, 0x1f0, 8, 0},
    {"launch_mit_vector", UINT, 0x1f8, 8, VERSION_MITIGATIONS},
    {"current_mit_vector", UINT, 0x200, 8, VERSION_MITIGATIONS},
};

static void put_le(uint8_t *out, uint64_t v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = (uint8_t)(v >> 8 * i);
}

static vs_code put_uint(vs_arena *a, vs_val json, const member *m, unsigned version, uint8_t *out,
                        vs_error *err)
{
    bool there;
    uint64_t v, most = m->n == 8 ? UINT64_MAX : (UINT64_C(1) << 8 * m->n) - 1;
    VS_TRY(evidence_may_uint(a, json, m->key, most, &there, &v, err));
    if (!there && version >= m->from)
        return vs_fail(err, VS_E_INVALID, "member \"%s\" is missing", m->key);
    put_le(out + m->at, v, m->n);
    return VS_OK;
}

/* Members that are single bytes, in the order in which they are encoded; NULL = a zero byte. */
static vs_code put_parts(vs_arena *a, vs_val json, const member *m, const char *const *parts,
                         uint8_t *out, vs_error *err)
{
    vs_val object;
    uint64_t v = 0;
    VS_TRY(vs_need(json, m->key, VS_OBJECT, &object, err));
    for (size_t i = 0; i < m->n; i++) {
        if (parts[i])
            VS_TRY_WRAP(evidence_uint(a, object, parts[i], UINT8_MAX, &v, err), err, "\"%s\"",
                        m->key);
        out[m->at + i] = parts[i] ? (uint8_t)v : 0;
    }
    return VS_OK;
}

/* Bytes of a TCB version, before Turin and since, and of a firmware version. */
static const char *const tcb_parts[2][8] = {
    {"bootloader", "tee", NULL, NULL, NULL, NULL, "snp", "microcode"},
    {"fmc", "bootloader", "tee", "snp", NULL, NULL, NULL, "microcode"}};
static const char *const firmware_parts[3] = {"build", "minor", "major"};

/* Only Turin has "fmc" as a number, and then another order. */
static vs_code put_tcb(vs_arena *a, vs_val json, const member *m, uint8_t *out, vs_error *err)
{
    bool fmc = vs_getc(vs_getc(json, m->key), "fmc").kind == VS_NUMBER;
    return put_parts(a, json, m, tcb_parts[fmc], out, err);
}

static vs_code put_member(vs_arena *a, vs_val json, const member *m, unsigned version, uint8_t *out,
                          vs_error *err)
{
    switch (m->kind) {
    case UINT: return put_uint(a, json, m, version, out, err);
    case BYTES: return evidence_bytes(json, m->key, out + m->at, m->n, err);
    case TCB: return put_tcb(a, json, m, out, err);
    case FIRMWARE: return put_parts(a, json, m, firmware_parts, out, err);
    }
    return vs_fail(err, VS_E_INTERNAL, "kind of a report's member");
}

static vs_code put_signature(vs_val json, uint8_t *out, vs_error *err)
{
    vs_val signature;
    VS_TRY(vs_need(json, "signature", VS_OBJECT, &signature, err));
    VS_TRY_WRAP(evidence_bytes(signature, "r", out, SCALAR_FIELD, err), err, "\"signature\"");
    VS_TRY_WRAP(evidence_bytes(signature, "s", out + SCALAR_FIELD, SCALAR_FIELD, err), err,
                "\"signature\"");
    return VS_OK;
}

vs_code snp_report_encode(vs_arena *a, vs_val json, uint8_t out[SNP_REPORT_SIZE], vs_error *err)
{
    uint64_t version;
    memset(out, 0, SNP_REPORT_SIZE);
    VS_TRY(evidence_uint(a, json, "version", UINT32_MAX, &version, err));
    for (size_t i = 0; i < VS_COUNT(members); i++)
        VS_TRY(put_member(a, json, &members[i], (unsigned)version, out, err));
    return put_signature(json, out + SNP_SIGNED_SIZE, err);
}

/* ---- bytes to JSON --------------------------------------------------------------------------- */

static void write_uint(vs_buf *json, const uint8_t *p, size_t n)
{
    uint64_t v = 0;
    for (size_t i = n; i > 0; i--)
        v = v << 8 | p[i - 1];
    vs_buf_printf(json, "%llu", (unsigned long long)v);
}

/* `before` stands in front of the first member. */
static void write_parts(vs_buf *json, const char *before, const char *const *parts,
                        const uint8_t *p, size_t n)
{
    bool first = true;
    vs_buf_puts(json, before);
    for (size_t i = 0; i < n; i++) {
        if (!parts[i])
            continue;
        vs_buf_printf(json, "%s\"%s\":%u", first ? "" : ",", parts[i], p[i]);
        first = false;
    }
    vs_buf_putc(json, '}');
}

static void write_member(vs_buf *json, const member *m, const uint8_t *report, unsigned version)
{
    /* The processor's family; versions that do not tell it are older than Turin. */
    bool turin = version >= VERSION_MIN && report[0x188] >= 0x1a;
    vs_buf_printf(json, "\"%s\":", m->key);
    switch (m->kind) {
    case UINT:
        if (version < m->from)
            vs_buf_puts(json, "null");
        else
            write_uint(json, report + m->at, m->n);
        break;
    case BYTES: evidence_put_bytes(json, vs_span_of(report + m->at, m->n)); break;
    case TCB:
        write_parts(json, turin ? "{" : "{\"fmc\":null,", tcb_parts[turin], report + m->at, m->n);
        break;
    case FIRMWARE: write_parts(json, "{", firmware_parts, report + m->at, m->n); break;
    }
    vs_buf_putc(json, ',');
}

/* Read again, the JSON must give the report: nothing of it was lost. */
static vs_code check_written(vs_span json, vs_span report, vs_error *err)
{
    VS_CLEANUP(vs_arena_free) vs_arena a;
    uint8_t again[SNP_REPORT_SIZE];
    vs_val v;
    vs_arena_init(&a, 0);
    VS_TRY(vs_json_parse(&a, json, NULL, &v, err));
    VS_TRY(snp_report_encode(&a, v, again, err));
    return vs_span_eq(report, vs_span_of(again, sizeof again))
               ? VS_OK
               : vs_fail(err, VS_E_UNSUPPORTED,
                         "reserved bytes are set, which the JSON form has no place for");
}

vs_code snp_report_write(vs_buf *json, vs_span report, vs_error *err)
{
    size_t start = json->n;
    if (report.n != SNP_REPORT_SIZE)
        return vs_fail(err, VS_E_PARSE, "SNP report of %zu bytes instead of %d", report.n,
                       SNP_REPORT_SIZE);
    const uint8_t *p = report.p, *r = p + SNP_SIGNED_SIZE;
    unsigned version = (unsigned)(p[0] | p[1] << 8 | p[2] << 16) | (unsigned)p[3] << 24;
    vs_buf_putc(json, '{');
    for (size_t i = 0; i < VS_COUNT(members); i++)
        write_member(json, &members[i], p, version);
    vs_buf_puts(json, "\"signature\":{\"r\":");
    evidence_put_bytes(json, vs_span_of(r, SCALAR_FIELD));
    vs_buf_puts(json, ",\"s\":");
    evidence_put_bytes(json, vs_span_of(r + SCALAR_FIELD, SCALAR_FIELD));
    vs_buf_puts(json, "}}");
    VS_TRY(vs_buf_check(json, err));
    VS_TRY_WRAP(check_written(vs_span_from(vs_buf_span(json), start), report, err), err,
                "SNP report of version %u", version);
    return VS_OK;
}
