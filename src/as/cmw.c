/* SPDX-License-Identifier: Apache-2.0 */
#include "as/cmw.h"

#include "base/enc.h"
#include "net/media_type.h"
#include "value/cbor.h"
#include "value/json.h"

enum {
    EVIDENCE = 1 << 2,         /* of the indicator's bits */
    CONTENT_FORMATS = 0x10000, /* CoAP's numbers have 16 bits */
};

/* RFC 9277 4.3: the tag of content format 0; after 255 of them one number is left out. */
static const uint64_t first_tag = 0x63740101;
static const uint64_t tags_end = 0x63740101 + 257 * 256;

bool as_cmw_form_of(vs_span media_type, as_cmw_form *out)
{
    static const struct {
        const char *type;
        as_cmw_form form;
    } known[] = {
        {"application/cmw", AS_CMW_EITHER},
        {"application/cmw+json", AS_CMW_JSON},
        {"application/cmw+cbor", AS_CMW_CBOR},
        {"application/vnd.veraison.cmw", AS_CMW_EITHER},
        {"application/vnd.veraison.cmw+json", AS_CMW_JSON},
        {"application/vnd.veraison.cmw+cbor", AS_CMW_CBOR},
    };
    for (size_t i = 0; i < VS_COUNT(known); i++) {
        if (vs_span_is(media_type, known[i].type)) {
            *out = known[i].form;
            return true;
        }
    }
    return false;
}

static vs_code set_number(uint64_t number, as_cmw *out, vs_error *err)
{
    if (number >= CONTENT_FORMATS)
        return vs_fail(err, VS_E_PARSE, "CMW: content format %llu is above 65535",
                       (unsigned long long)number);
    out->number = number;
    if (number == 263)
        out->type = VS_LIT("application/eat+cwt");
    return VS_OK;
}

static vs_code set_type(vs_arena *a, vs_span text, as_cmw *out, vs_error *err)
{
    VS_TRY_WRAP(vs_media_type_normal(a, text, &out->type, err), err, "CMW: the type");
    return VS_OK;
}

static vs_code check_indicator(uint64_t bits, vs_error *err)
{
    if (!(bits & EVIDENCE))
        return vs_fail(err, VS_E_INVALID, "CMW: the indicator says that this is no evidence");
    return VS_OK;
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static vs_code read_json_record(vs_arena *a, vs_val v, as_cmw *out, vs_error *err)
{
    if (v.kind != VS_ARRAY || v.len < 2 || v.len > 3 || v.u.items[1].kind != VS_STRING)
        return vs_fail(err, VS_E_PARSE,
                       "CMW: a record in JSON is [type, \"base64url\"] or [type, \"base64url\", "
                       "indicator]");
    vs_val type = v.u.items[0];
    if (type.kind == VS_STRING)
        VS_TRY(set_type(a, vs_text(type), out, err));
    else if (vs_is_int(type) && type.u.i >= 0)
        VS_TRY(set_number((uint64_t)type.u.i, out, err));
    else
        return vs_fail(err, VS_E_PARSE, "CMW: the type is neither text nor a content format");
    VS_TRY_WRAP(vs_b64_decode_arena(a, VS_B64_URL_ANYPAD, vs_text(v.u.items[1]), &out->value, err),
                err, "CMW: the value");
    if (v.len < 3)
        return VS_OK;
    if (!vs_is_int(v.u.items[2]) || v.u.items[2].u.i < 0)
        return vs_fail(err, VS_E_PARSE, "CMW: the indicator is no unsigned integer");
    return check_indicator((uint64_t)v.u.items[2].u.i, err);
}

static vs_code open_json(vs_arena *a, vs_span in, as_cmw *out, vs_error *err)
{
    vs_val v;
    const vs_json_opts opts = {.depth = 8, .nodes = 4096};
    VS_TRY_WRAP(vs_json_parse(a, in, &opts, &v, err), err, "CMW");
    if (v.kind != VS_OBJECT)
        return read_json_record(a, v, out, err);
    out->collection = true;
    return VS_OK;
}

/* ---- CBOR ------------------------------------------------------------------------------------ */

static vs_code read_tag(vs_cbor *c, as_cmw *out, vs_error *err)
{
    uint64_t tag = vs_cbor_tag(c), at = tag - first_tag;
    if (tag < first_tag || tag >= tags_end || at % 256 == 255) {
        out->collection = tag == 907; /* as TF-RMM writes its tokens; anything else is no CMW */
        return out->collection ? VS_OK
                               : vs_fail(err, VS_E_PARSE, "CMW: tag %llu is none of a media type",
                                         (unsigned long long)tag);
    }
    VS_TRY(set_number(at / 256 * 255 + at % 256, out, err));
    out->value = vs_cbor_bytes(c);
    return vs_cbor_end(c);
}

static vs_code read_cbor_record(vs_arena *a, vs_cbor *c, as_cmw *out, vs_error *err)
{
    uint64_t bits = EVIDENCE;
    size_t n = vs_cbor_array(c);
    if (c->code == VS_OK && (n < 2 || n > 3))
        return vs_cbor_fail(c, VS_E_PARSE, "CMW: a record has two or three items, not %zu", n);
    if (vs_cbor_peek(c) == VS_CBOR_UINT)
        VS_TRY(set_number(vs_cbor_uint(c), out, err));
    else
        out->type = vs_cbor_text(c);
    out->value = vs_cbor_bytes(c);
    if (n == 3)
        bits = vs_cbor_uint(c);
    VS_TRY_WRAP(vs_cbor_end(c), err, "CMW");
    if (out->number == UINT64_MAX)
        VS_TRY(set_type(a, out->type, out, err));
    return check_indicator(bits, err);
}

static vs_code open_cbor(vs_arena *a, vs_span in, as_cmw *out, vs_error *err)
{
    VS_TRY_WRAP(vs_cbor_check(in, err), err, "CMW");
    vs_cbor c = vs_cbor_of(in, err);
    switch (vs_cbor_peek(&c)) {
    case VS_CBOR_TAG: return read_tag(&c, out, err);
    case VS_CBOR_ARRAY: return read_cbor_record(a, &c, out, err);
    case VS_CBOR_MAP: out->collection = true; return VS_OK;
    default: return vs_fail(err, VS_E_PARSE, "CMW: neither a record nor a tag");
    }
}

static bool looks_like_json(vs_span in)
{
    in = vs_span_trim(in);
    return in.n && (*in.p == '[' || *in.p == '{');
}

vs_code as_cmw_open(vs_arena *a, vs_span in, as_cmw_form form, as_cmw *out, vs_error *err)
{
    *out = (as_cmw){.number = UINT64_MAX};
    if (in.n > AS_CMW_MAX)
        return vs_fail(err, VS_E_LIMIT, "CMW: %zu bytes, at most %d", in.n, AS_CMW_MAX);
    bool json = form == AS_CMW_JSON || (form == AS_CMW_EITHER && looks_like_json(in));
    vs_code code = json ? open_json(a, in, out, err) : open_cbor(a, in, out, err);
    if (code != VS_OK)
        *out = (as_cmw){.number = UINT64_MAX};
    return code;
}
