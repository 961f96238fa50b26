/* SPDX-License-Identifier: Apache-2.0 */
/* vouchsafe rim rem: what a Realm Extensible Measurement is after it was extended. */
#include "base/enc.h"
#include "base/io.h"
#include "cmd/rim/rim_tool.h"
#include "cmd/view.h"
#include "value/json.h"

enum { INDEX_MIN = 1, INDEX_MAX = 4 };

typedef struct rem {
    vs_arena a;
    vs_hash hash;
    uint64_t index;
    uint8_t value[VS_HASH_MAX];
    vs_vec steps; /* {"item", "data", "rem"} */
} rem;

static void free_rem(rem *r)
{
    vs_arena_free(&r->a);
}

static vs_span value_of(const rem *r)
{
    return vs_span_of(r->value, vs_hash_size(r->hash));
}

static vs_code begin(const rim_cli *o, rem *r, vs_error *err)
{
    vs_span start;
    VS_TRY(rim_hash(o->hash, &r->hash, err));
    VS_TRY(rim_number("index", o->index, UINT64_MAX, 0, &r->index, err));
    if (r->index < INDEX_MIN || r->index > INDEX_MAX)
        return vs_fail(
            err, VS_E_INVALID,
            "--index %s: RSI_MEASUREMENT_EXTEND takes %d to %d (the token's REM0 to REM3); "
            "0 would be the RIM, which nothing extends",
            o->index, INDEX_MIN, INDEX_MAX);
    if (!o->start)
        return VS_OK;
    VS_TRY_WRAP(vs_hex_decode_arena(&r->a, vs_str(o->start), &start, err), err, "--start");
    if (start.n != vs_hash_size(r->hash))
        return vs_fail(err, VS_E_INVALID, "--start: %zu bytes, a %s value has %zu", start.n,
                       vs_hash_name(r->hash), vs_hash_size(r->hash));
    memcpy(r->value, start.p, start.n);
    return VS_OK;
}

/* ---- items ------------------------------------------------------------------------------------
 */

static vs_code data_of_file(const char *path, rem *r, vs_span *out, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf b = VS_BUF(CCA_REM_DATA_MAX);
    vs_code code = vs_read_file(path, &b, err);
    if (code == VS_E_LIMIT)
        return vs_fail(err, VS_E_INVALID,
                       "%s has more than the %d bytes that a measurement is extended with; did you "
                       "mean digest:%s?",
                       path, CCA_REM_DATA_MAX, path);
    *out = vs_dup(&r->a, vs_buf_span(&b));
    return code;
}

static vs_code digest_of_file(const char *path, rem *r, vs_span *out, vs_error *err)
{
    uint8_t digest[VS_HASH_MAX];
    VS_CLEANUP(rim_close) rim_input in = RIM_INPUT;
    VS_TRY(rim_open(path, false, &in, err));
    VS_TRY_WRAP(cca_source_digest(r->hash, &in.source, digest, err), err, "%s", path);
    *out = vs_dup(&r->a, vs_span_of(digest, vs_hash_size(r->hash)));
    return VS_OK;
}

static vs_code data_of(const char *item, rem *r, vs_span *out, vs_error *err)
{
    bool found;
    vs_span rest, kind = vs_span_cut(vs_str(item), ':', &rest, &found);
    const char *path = found ? item + kind.n + 1 : "";
    if (found && vs_span_is(kind, "hex"))
        return vs_hex_decode_arena(&r->a, rest, out, err);
    if (found && vs_span_is(kind, "file"))
        return data_of_file(path, r, out, err);
    if (found && vs_span_is(kind, "digest"))
        return digest_of_file(path, r, out, err);
    return vs_fail(err, VS_E_INVALID, "must be hex:BYTES, file:PATH or digest:PATH");
}

static vs_code extend(const char *item, rem *r, vs_error *err)
{
    vs_span data;
    vs_obj step = {.a = &r->a};
    VS_TRY_WRAP(data_of(item, r, &data, err), err, "%s", item);
    VS_TRY_WRAP(cca_rem_extend(r->hash, r->value, data, err), err, "%s", item);
    vs_obj_put(&step, "item", vs_cstring(item));
    vs_obj_put(&step, "data", vs_string(vs_hex_encode_arena(&r->a, data)));
    vs_obj_put(&step, "rem", vs_string(vs_hex_encode_arena(&r->a, value_of(r))));
    vs_vec_add(&r->steps, vs_obj_end(&step, VS_DUP_REFUSE, NULL));
    return vs_arena_check(&r->a, err);
}

/* ---- output -----------------------------------------------------------------------------------
 */

static void print_json(vs_buf *out, const rim_cli *o, rem *r)
{
    vs_jw w = {.out = out};
    vs_jw_open(&w, '{');
    rim_put_span(&w, "rem", vs_hex_encode_arena(&r->a, value_of(r)));
    rim_put_span(&w, "rem-base64", vs_b64_encode_arena(&r->a, VS_B64_STD, value_of(r)));
    rim_put_text(&w, "hash", vs_hash_name(r->hash));
    vs_jw_key(&w, "index");
    vs_jw_int(&w, (int64_t)r->index);
    vs_jw_key(&w, "token-index");
    vs_jw_int(&w, (int64_t)r->index - INDEX_MIN);
    if (o->trace) {
        vs_jw_key(&w, "steps");
        vs_jw_val(&w, vs_vec_end_array(&r->steps));
    }
    vs_jw_close(&w, '}');
    vs_buf_putc(out, '\n');
}

static void print_text(view *v, const rim_cli *o, rem *r)
{
    for (size_t i = 0; o->trace && i < r->steps.n; i++) {
        view_text(v, vs_text(vs_getc(r->steps.items[i], "item")));
        vs_buf_printf(&v->out, "\n  %.*s\n", VS_FMT(vs_text(vs_getc(r->steps.items[i], "rem"))));
    }
    view_styled(v, VIEW_BOLD, "Realm Extensible Measurement %u, %s",
                (unsigned)(r->index - INDEX_MIN), vs_hash_name(r->hash));
    vs_buf_putc(&v->out, '\n');
    view_bytes(v, 0, "REM", value_of(r));
}

static vs_code print(const rim_cli *o, rem *r, vs_error *err)
{
    rim_form form;
    VS_CLEANUP(view_free) view v;
    view_init(&v);
    VS_TRY(rim_form_of(o->output, &form, err));
    switch (form) {
    case RIM_TEXT: print_text(&v, o, r); break;
    case RIM_JSON: print_json(&v.out, o, r); break;
    case RIM_HEX:
    case RIM_BASE64: rim_put_value(&v.out, form, value_of(r)); break;
    default: return vs_fail(err, VS_E_INVALID, "--output %s is for a RIM", o->output);
    }
    VS_TRY(vs_arena_check(&r->a, err));
    return view_flush(&v) ? VS_OK : vs_fail(err, VS_E_IO, "cannot write to standard output");
}

static vs_code run(const rim_cli *o, vs_error *err)
{
    VS_CLEANUP(free_rem) rem r = {.index = 0};
    vs_arena_init(&r.a, 0);
    r.steps.a = &r.a;
    VS_TRY(begin(o, &r, err));
    for (size_t i = 0; i < o->items.n; i++)
        VS_TRY(extend(o->items.items[i], &r, err));
    return print(o, &r, err);
}

int rim_run_rem(void *opts)
{
    vs_error err = {0};
    return rim_finish(run(opts, &err), &err);
}
