/* SPDX-License-Identifier: Apache-2.0 */
/* A RIM as cocli's templates of a CoMID and a CoRIM (cca.md 6.2, 6.3), and as the CoRIM that they
 * make: what it takes to sign an endorsement of the realm. */
#include "base/enc.h"
#include "cmd/rim/rim_tool.h"
#include "envelope/corim_template.h"
#include "value/json.h"

enum { RPV_SIZE = 64, TEMPLATE_MAX = 64 * 1024 };

/* {"type": "bytes", "value": ...} */
static void put_bytes(vs_jw *w, vs_arena *a, const char *key, vs_span v)
{
    vs_jw_key(w, key);
    vs_jw_open(w, '{');
    rim_put_text(w, "type", "bytes");
    rim_put_span(w, "value", vs_b64_encode_arena(a, VS_B64_STD, v));
    vs_jw_close(w, '}');
}

/* The same inputs give the same tag, so that registering them twice is no change: a UUID of version
 * 8 (RFC 9562) over what is endorsed. */
static vs_code put_uuid(vs_jw *w, const char *key, const char *what, const rim_result *r,
                        vs_span rpv, vs_error *err)
{
    uint8_t h[VS_HASH_MAX];
    char text[40];
    const vs_span parts[] = {vs_str(what), cca_rim_span(&r->rim),
                             vs_span_of(r->rem0, r->has_rem0 ? VS_HASH_MAX : 0), rpv};
    VS_TRY(vs_digest_parts(VS_SHA256, parts, VS_COUNT(parts), h, err));
    h[6] = (uint8_t)((h[6] & 0x0f) | 0x80);
    h[8] = (uint8_t)((h[8] & 0x3f) | 0x80);
    (void)snprintf(text, sizeof text,
                   "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", h[0],
                   h[1], h[2], h[3], h[4], h[5], h[6], h[7], h[8], h[9], h[10], h[11], h[12], h[13],
                   h[14], h[15]);
    rim_put_text(w, key, text);
    return VS_OK;
}

/* Named information registry. */
static int digest_algorithm(vs_hash h)
{
    return h == VS_SHA256 ? 1 : h == VS_SHA384 ? 7 : 8;
}

static void begin_measurement(vs_jw *w, const char *mkey)
{
    vs_jw_open(w, '{');
    vs_jw_key(w, "key");
    vs_jw_open(w, '{');
    rim_put_text(w, "type", "string");
    rim_put_text(w, "value", mkey);
    vs_jw_close(w, '}');
    vs_jw_key(w, "value");
    vs_jw_open(w, '{');
}

static void end_measurement(vs_jw *w)
{
    vs_jw_close(w, '}');
    vs_jw_close(w, '}');
}

static void put_digest(vs_jw *w, vs_arena *a, const char *mkey, vs_hash hash, vs_span value)
{
    begin_measurement(w, mkey);
    vs_jw_key(w, "digests");
    vs_jw_open(w, '[');
    vs_jw_open(w, '[');
    vs_jw_int(w, digest_algorithm(hash));
    vs_jw_span(w, vs_b64_encode_arena(a, VS_B64_URL, value));
    vs_jw_close(w, ']');
    vs_jw_close(w, ']');
    end_measurement(w);
}

/* As the VMM pads it: zeros behind. */
static vs_code read_rpv(const rim_cli *o, vs_arena *a, vs_span *out, vs_error *err)
{
    vs_span given;
    *out = (vs_span){0};
    if (!o->rpv)
        return VS_OK;
    VS_TRY_WRAP(vs_hex_decode_arena(a, vs_str(o->rpv), &given, err), err, "--rpv");
    if (given.n > RPV_SIZE)
        return vs_fail(err, VS_E_INVALID, "--rpv: %zu bytes, a personalization value has %d",
                       given.n, RPV_SIZE);
    uint8_t *padded = vs_zalloc(a, RPV_SIZE);
    if (!padded)
        return vs_arena_check(a, err);
    memcpy(padded, given.p, given.n);
    *out = vs_span_of(padded, RPV_SIZE);
    return VS_OK;
}

static void put_measurements(vs_jw *w, vs_arena *a, const rim_result *r, vs_span rpv)
{
    vs_hash hash = r->rim.params.hash;
    vs_jw_key(w, "measurements");
    vs_jw_open(w, '[');
    put_digest(w, a, "cca.rim", hash, cca_rim_span(&r->rim));
    if (r->has_rem0)
        put_digest(w, a, "cca.rem0", hash, vs_span_of(r->rem0, vs_hash_size(hash)));
    if (rpv.n) {
        begin_measurement(w, "cca.rpv");
        put_bytes(w, a, "raw-value", rpv);
        end_measurement(w);
    }
    vs_jw_close(w, ']');
}

static vs_code write_comid(const rim_cli *o, const rim_result *r, vs_arena *a, vs_jw *w,
                           vs_error *err)
{
    vs_span rpv;
    VS_TRY(read_rpv(o, a, &rpv, err));
    vs_jw_open(w, '{');
    vs_jw_key(w, "tag-identity");
    vs_jw_open(w, '{');
    VS_TRY(put_uuid(w, "id", "comid", r, rpv, err));
    vs_jw_key(w, "version");
    vs_jw_int(w, 0);
    vs_jw_close(w, '}');
    vs_jw_key(w, "triples");
    vs_jw_open(w, '{');
    vs_jw_key(w, "reference-values");
    vs_jw_open(w, '[');
    vs_jw_open(w, '{');
    vs_jw_key(w, "environment");
    vs_jw_open(w, '{');
    vs_jw_key(w, "class");
    vs_jw_open(w, '{');
    put_bytes(w, a, "id", cca_rim_span(&r->rim));
    vs_jw_close(w, '}');
    vs_jw_close(w, '}');
    put_measurements(w, a, r, rpv);
    vs_jw_close(w, '}');
    vs_jw_close(w, ']');
    vs_jw_close(w, '}');
    vs_jw_close(w, '}');
    return VS_OK;
}

static vs_code write_corim(const rim_cli *o, const rim_result *r, vs_arena *a, vs_jw *w,
                           vs_error *err)
{
    vs_span rpv;
    VS_TRY(read_rpv(o, a, &rpv, err));
    vs_jw_open(w, '{');
    VS_TRY(put_uuid(w, "corim-id", "corim", r, rpv, err));
    if (o->entity) {
        vs_jw_key(w, "entities");
        vs_jw_open(w, '[');
        vs_jw_open(w, '{');
        rim_put_text(w, "name", o->entity);
        vs_jw_key(w, "roles");
        vs_jw_open(w, '[');
        vs_jw_str(w, "manifestCreator");
        vs_jw_close(w, ']');
        vs_jw_close(w, '}');
        vs_jw_close(w, ']');
    }
    vs_jw_key(w, "profile");
    vs_jw_open(w, '{');
    rim_put_text(w, "type", "uri");
    rim_put_text(w, "value", "tag:arm.com,2025:cca_realm#1.0.0");
    vs_jw_close(w, '}');
    vs_jw_close(w, '}');
    return VS_OK;
}

typedef vs_code template_writer(const rim_cli *o, const rim_result *r, vs_arena *a, vs_jw *w,
                                vs_error *err);

static vs_code template_of(template_writer *write, const rim_cli *o, const rim_result *r,
                           vs_arena *a, vs_val *out, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf json = VS_BUF(TEMPLATE_MAX);
    vs_jw w = {.out = &json};
    VS_TRY(write(o, r, a, &w, err));
    VS_TRY(vs_buf_check(&json, err));
    vs_span text = vs_dup(a, vs_buf_span(&json)); /* values point into it */
    VS_TRY(vs_arena_check(a, err));
    return vs_json_parse(a, text, NULL, out, err);
}

vs_code rim_comid_template(const rim_cli *o, const rim_result *r, vs_arena *a, vs_val *out,
                           vs_error *err)
{
    return template_of(write_comid, o, r, a, out, err);
}

vs_code rim_corim_template(const rim_cli *o, const rim_result *r, vs_arena *a, vs_val *out,
                           vs_error *err)
{
    return template_of(write_corim, o, r, a, out, err);
}

vs_code rim_corim(const rim_cli *o, const rim_result *r, vs_arena *a, vs_buf *out, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf comid = VS_BUF(TEMPLATE_MAX);
    vs_val comid_template, corim_template;
    VS_TRY(rim_comid_template(o, r, a, &comid_template, err));
    VS_TRY(rim_corim_template(o, r, a, &corim_template, err));
    VS_TRY(corim_put_comid(&comid, a, comid_template, err));
    vs_span tag = vs_buf_span(&comid);
    return corim_put_manifest(out, a, corim_template, &tag, 1, err);
}
