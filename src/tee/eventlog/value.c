/* SPDX-License-Identifier: Apache-2.0 */
/* An event log as policies see it (attestation-service.md 9.2 to 9.4). */
#include "base/enc.h"
#include "tee/cursor.h"
#include "tee/eventlog/eventlog.h"
#include "value/json.h"

/* Of the content of an AAEL event, which is taken as JSON where it is JSON; the value ends up a few
 * levels below the policy input. */
enum { CONTENT_DEPTH = 128, CONTENT_NODES = 1 << 16 };

static vs_val object(vs_obj *o)
{
    return vs_obj_end(o, VS_DUP_REFUSE, NULL);
}

static vs_code only_string(vs_arena *a, vs_span text, vs_val *out, vs_error *err)
{
    vs_obj o = {.a = a};
    vs_obj_put(&o, "string", vs_string(text));
    *out = object(&o);
    return vs_arena_check(a, err);
}

/* ---- by type --------------------------------------------------------------------------------- */

static vs_code text_details(vs_arena *a, vs_span data, vs_val *out, vs_error *err)
{
    if (!vs_utf8_ok(data))
        return vs_fail(err, VS_E_PARSE, "the data is not UTF-8 text");
    return only_string(a, data, out, err);
}

static vs_code flags_details(vs_arena *a, vs_span data, vs_val *out, vs_error *err)
{
    if (!vs_utf8_ok(data))
        return only_string(a, VS_LIT(""), out, err);
    uint8_t *text = vs_alloc(a, data.n);
    VS_TRY(vs_arena_check(a, err));
    size_t n = 0;
    for (size_t at = 0; at < data.n;) {
        uint32_t cp = vs_utf8_next(data, &at);
        if (cp == 0x10)
            cp = ' ';
        if (cp >= 0x20 && (cp < 0x7f || cp > 0x9f)) /* not a control character */
            n += vs_utf8_put(text + n, cp);
    }
    return only_string(a, vs_span_of(text, n), out, err);
}

static vs_code ipl_details(vs_arena *a, vs_span data, vs_val *out, vs_error *err)
{
    if (data.n < 2)
        return vs_fail(err, VS_E_INVALID, "boot loader event of %zu bytes", data.n);
    if (data.p[0] == '.' && data.p[1] == 0) { /* UTF-16, between that and a final NUL */
        vs_span middle = data.n > 4 ? vs_span_of(data.p + 2, data.n - 4) : VS_LIT("");
        return only_string(a, eventlog_utf16(a, middle), out, err);
    }
    vs_span rest, text = vs_span_cut(data, 0, &rest, NULL);
    return only_string(a, vs_utf8_ok(text) ? text : vs_hex_encode_arena(a, data), out, err);
}

/* "domain operation content". */
static vs_code aael_data(vs_arena *a, vs_span text, vs_val *out, vs_error *err)
{
    bool one, two;
    vs_span rest, content;
    vs_span domain = vs_span_cut(text, ' ', &rest, &one);
    vs_span operation = vs_span_cut(rest, ' ', &content, &two);
    if (!one || !two)
        return vs_fail(err, VS_E_INVALID, "AAEL event without a domain, operation and content");
    vs_json_opts opts = {.depth = CONTENT_DEPTH, .nodes = CONTENT_NODES, .dup_last_wins = true};
    vs_val v = vs_undefined();
    if (vs_json_parse(a, content, &opts, &v, NULL) != VS_OK || !vs_defined(v))
        v = vs_string(content);
    vs_obj o = {.a = a};
    vs_obj_put(&o, "content", v);
    vs_obj_put(&o, "domain", vs_string(domain));
    vs_obj_put(&o, "operation", vs_string(operation));
    *out = object(&o);
    return vs_arena_check(a, err);
}

static vs_code tag_details(vs_arena *a, vs_span data, vs_val *out, vs_error *err)
{
    vs_cursor c = vs_cursor_of(data, err);
    uint32_t id = le_u32(&c);
    vs_span bytes = vs_cursor_take(&c, le_u32(&c));
    VS_TRY(c.code);
    vs_span lossy = eventlog_utf8(a, bytes);
    uint8_t *text = vs_alloc(a, lossy.n);
    VS_TRY(vs_arena_check(a, err));
    size_t n = 0;
    for (size_t i = 0; i < lossy.n; i++)
        if (lossy.p[i])
            text[n++] = lossy.p[i];
    if (id != EVENTLOG_AAEL_TAG)
        return only_string(a, vs_span_of(text, n), out, err);
    vs_val aael;
    VS_TRY(aael_data(a, vs_span_of(text, n), &aael, err));
    vs_obj o = {.a = a};
    vs_obj_put(&o, "data", aael);
    vs_obj_put(&o, "string", vs_string(vs_span_of(text, n)));
    vs_obj_put(&o, "unicode_name", vs_cstring("AAEL"));
    *out = object(&o);
    return vs_arena_check(a, err);
}

/* UEFI_VARIABLE_DATA. The GUID's bytes are shown in their order, unlike those of device paths. */
static vs_code variable_details(vs_arena *a, vs_span data, vs_val *out, vs_error *err)
{
    vs_cursor c = vs_cursor_of(data, err);
    vs_span guid = vs_cursor_take(&c, 16);
    uint64_t name_length = le_u64(&c), data_length = le_u64(&c);
    if (c.code == VS_OK && name_length > data.n)
        return vs_fail(err, VS_E_PARSE, "variable name of %llu characters",
                       (unsigned long long)name_length);
    vs_span name = vs_cursor_take(&c, 2 * name_length), value = vs_cursor_take(&c, data_length);
    VS_TRY(c.code);
    vs_span hex = vs_hex_encode_arena(a, guid);
    VS_TRY(vs_arena_check(a, err));
    const char *h = (const char *)hex.p;
    vs_obj o = {.a = a};
    vs_obj_put(&o, "unicode_name", vs_string(eventlog_utf16(a, name)));
    vs_obj_put(&o, "unicode_name_length", vs_int((int64_t)name_length));
    vs_obj_put(&o, "variable_data", vs_string(vs_b64_encode_arena(a, VS_B64_STD, value)));
    vs_obj_put(&o, "variable_data_length", vs_int((int64_t)data_length));
    vs_obj_put(
        &o, "variable_name",
        vs_cstring(vs_sprintf(a, "%.8s-%.4s-%.4s-%.4s-%.12s", h, h + 8, h + 12, h + 16, h + 20)));
    *out = object(&o);
    return vs_arena_check(a, err);
}

/* A length byte and a text whose last byte, a NUL in real logs, is not shown. */
static vs_code blob_details(vs_arena *a, vs_span data, vs_val *out, vs_error *err)
{
    vs_cursor c = vs_cursor_of(data, err);
    uint8_t n = le_u8(&c);
    VS_TRY(c.code);
    if (n == 0)
        return vs_fail(err, VS_E_INVALID, "description of 0 bytes");
    vs_span text = vs_cursor_take(&c, n - 1u);
    VS_TRY(c.code);
    return only_string(a, eventlog_utf8(a, text), out, err);
}

/* UEFI_IMAGE_LOAD_EVENT; the path ends with a node of 4 bytes that only says so. */
static vs_code image_details(vs_arena *a, vs_span data, vs_val *out, vs_error *err)
{
    vs_cursor c = vs_cursor_of(data, err);
    (void)vs_cursor_take(&c, 24); /* address, length, link time address */
    uint64_t length = le_u64(&c);
    vs_span path = vs_cursor_take(&c, length);
    VS_TRY(c.code);
    *out = vs_empty(VS_OBJECT);
    if (length == 0)
        return VS_OK;
    if (length < 4)
        return vs_fail(err, VS_E_INVALID, "device path of %zu bytes", path.n);
    vs_val paths;
    VS_TRY(eventlog_device_paths(a, vs_span_head(path, path.n - 4), &paths, err));
    vs_obj o = {.a = a};
    vs_obj_put(&o, "device_paths", paths);
    *out = object(&o);
    return vs_arena_check(a, err);
}

static const struct {
    uint32_t type;
    vs_code (*details)(vs_arena *a, vs_span data, vs_val *out, vs_error *err);
} kinds[] = {
    {0x01, text_details},           /* POST_CODE */
    {0x05, text_details},           /* ACTION */
    {0x06, tag_details},            /* EVENT_TAG */
    {0x0a, flags_details},          /* PLATFORM_CONFIG_FLAGS */
    {0x0c, text_details},           /* COMPACT_HASH */
    {0x0d, ipl_details},            /* IPL */
    {0x12, text_details},           /* OMIT_BOOT_DEVICE_EVENTS */
    {0x80000001, variable_details}, /* EFI_VARIABLE_DRIVER_CONFIG */
    {0x80000002, variable_details}, /* EFI_VARIABLE_BOOT */
    {0x80000003, image_details},    /* EFI_BOOT_SERVICES_APPLICATION */
    {0x80000007, text_details},     /* EFI_ACTION */
    {0x8000000a, blob_details},     /* EFI_PLATFORM_FIRMWARE_BLOB2 */
    {0x8000000b, blob_details},     /* EFI_HANDOFF_TABLES2 */
    {0x8000000c, variable_details}, /* EFI_VARIABLE_BOOT2 */
    {0x800000e0, variable_details}, /* EFI_VARIABLE_AUTHORITY */
};

vs_code eventlog_details(vs_arena *a, const eventlog_event *e, vs_val *out, vs_error *err)
{
    for (size_t i = 0; i < VS_COUNT(kinds); i++)
        if (kinds[i].type == e->type)
            return kinds[i].details(a, e->data, out, err);
    *out = vs_empty(VS_OBJECT);
    return VS_OK;
}

/* ---- one event ------------------------------------------------------------------------------- */

static vs_code digests_value(vs_arena *a, const eventlog_event *e, vs_val *out, bool *match,
                             vs_error *err)
{
    vs_vec list = {.a = a};
    *match = e->n_digests > 0; /* what nothing was extended with proves nothing */
    for (size_t i = 0; i < e->n_digests; i++) {
        const eventlog_digest *d = &e->digests[i];
        uint8_t h[VS_HASH_MAX];
        if (d->hash == VS_HASH_NONE || d->hash == VS_SHA1)
            return vs_fail(err, VS_E_UNSUPPORTED, "%s digest", d->alg_name);
        VS_TRY(vs_digest(d->hash, e->data, (vs_span){NULL, 0}, (vs_span){NULL, 0}, h, err));
        *match = *match && vs_span_eq(d->value, vs_span_of(h, vs_hash_size(d->hash)));
        vs_obj o = {.a = a};
        vs_obj_put(&o, "alg", vs_cstring(d->alg_name));
        vs_obj_put(&o, "digest", vs_string(vs_hex_encode_arena(a, d->value)));
        vs_vec_add(&list, object(&o));
    }
    *out = vs_vec_end_array(&list);
    return vs_arena_check(a, err);
}

static vs_code event_value(vs_arena *a, const eventlog_event *e, vs_val *out, vs_error *err)
{
    vs_val details, digests;
    bool match;
    VS_TRY(digests_value(a, e, &digests, &match, err));
    VS_TRY(eventlog_details(a, e, &details, err));
    vs_obj o = {.a = a};
    vs_obj_put(&o, "details", details);
    vs_obj_put(&o, "digest_matches_event", vs_bool(match));
    vs_obj_put(&o, "digests", digests);
    vs_obj_put(&o, "event", vs_string(vs_b64_encode_arena(a, VS_B64_STD, e->data)));
    vs_obj_put(&o, "index", vs_int(e->index));
    vs_obj_put(&o, "type_name", vs_cstring(e->type_name));
    *out = object(&o);
    return vs_arena_check(a, err);
}

vs_code eventlog_value(vs_arena *a, const eventlog *log, vs_val *out, vs_error *err)
{
    vs_vec list = {.a = a};
    for (size_t i = 0; i < log->n; i++) {
        vs_val v;
        VS_TRY_WRAP(event_value(a, &log->events[i], &v, err), err, "event %zu (%s)", i + 1,
                    log->events[i].type_name);
        vs_vec_add(&list, v);
    }
    *out = vs_vec_end_array(&list);
    return vs_arena_check(a, err);
}
