/* SPDX-License-Identifier: Apache-2.0 */
#include "envelope/corim_schema.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/enc.h"
#include "envelope/corim_parts.h"

#define RAW "#cbor"

vs_code corim_encoded(const corim_codec *k, vs_arena *a, vs_val v, vs_span *out, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf b = VS_BUF(CORIM_TEXT_MAX);
    VS_TRY(k->put(k, a, v, &b, err));
    VS_TRY(vs_buf_check(&b, err));
    *out = vs_dup(a, vs_buf_span(&b));
    return vs_arena_check(a, err);
}

/* Where in the template something is wrong, as a JSON pointer: one sentence, however deep. */
static vs_code at(vs_error *err, vs_code code, vs_span name)
{
    char inner[VS_ERROR_TEXT], path[VS_ERROR_TEXT];
    const char *outermost = err ? vs_error_at(err, 0) : NULL;
    if (!outermost || outermost[0] != '/') {
        (void)vs_wrap(err, "/%.*s", VS_FMT(vs_span_head(name, 80)));
        return code;
    }
    (void)snprintf(path, sizeof path, "/%.*s%s", VS_FMT(vs_span_head(name, 80)), outermost);
    vs_error rest = {.code = code};
    (void)vs_fail(&rest, code, "%s", vs_error_at(err, 1) ? vs_error_at(err, 1) : "");
    for (unsigned i = 2; vs_error_at(err, i); i++) {
        (void)snprintf(inner, sizeof inner, "%s: %s", vs_error_at(&rest, 0), vs_error_at(err, i));
        (void)vs_fail(&rest, code, "%s", inner);
    }
    *err = rest;
    (void)vs_wrap(err, "%s", path);
    return code;
}

static vs_code at_index(vs_error *err, vs_code code, size_t i)
{
    char name[24];
    (void)snprintf(name, sizeof name, "%zu", i);
    return at(err, code, vs_str(name));
}

static vs_code want(vs_val v, vs_kind kind, vs_error *err)
{
    return v.kind == kind ? VS_OK
                          : vs_fail(err, VS_E_INVALID, "must be %s, not %s", vs_kind_name(kind),
                                    vs_kind_name((vs_kind)v.kind));
}

/* ---- maps ------------------------------------------------------------------------------------ */

static int by_key(const void *p, const void *q)
{
    return vs_span_cmp(((const corim_pair *)p)->key, ((const corim_pair *)q)->key);
}

void corim_put_pairs(vs_buf *out, corim_pair *pairs, size_t n)
{
    if (n)
        qsort(pairs, n, sizeof *pairs, by_key);
    vs_cbor_put_map(out, n);
    for (size_t i = 0; i < n; i++) {
        vs_buf_put(out, pairs[i].key);
        vs_buf_put(out, pairs[i].value);
    }
}

static const corim_member *member_of(const corim_member *all, vs_span name)
{
    for (; all->name; all++)
        if (vs_span_is(name, all->name))
            return all;
    return NULL;
}

static const corim_member *member_at(const corim_member *all, int64_t key)
{
    for (; all->name; all++)
        if (all->key == key)
            return all;
    return NULL;
}

/* "#-12": a key without a name. */
static bool number_of(vs_span name, int64_t *out)
{
    uint64_t n;
    bool negative = vs_span_starts(name, VS_LIT("#-"));
    if (!vs_span_starts(name, VS_LIT("#")) ||
        !vs_span_decimal(vs_span_from(name, negative ? 2 : 1), INT64_MAX, &n))
        return false;
    *out = negative ? -(int64_t)n : (int64_t)n;
    return true;
}

static vs_code unknown(vs_span name, vs_error *err)
{
    return vs_fail(err, VS_E_INVALID, "unknown member \"%.*s\"", VS_FMT(vs_span_head(name, 80)));
}

static vs_code put_pair(const corim_member *all, vs_arena *a, const vs_pair *m, corim_pair *out,
                        vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf key = VS_BUF(16);
    vs_span name = vs_text(m->key);
    const corim_member *known = member_of(all, name);
    int64_t number = known ? known->key : 0;
    if (!known && (!number_of(name, &number) || member_at(all, number)))
        return unknown(name, err);
    vs_cbor_put_int(&key, number);
    VS_TRY(vs_buf_check(&key, err));
    out->key = vs_dup(a, vs_buf_span(&key));
    vs_code code = corim_encoded(known ? known->codec : &corim_raw, a, m->val, &out->value, err);
    return code == VS_OK ? VS_OK : at(err, code, name);
}

static vs_code check_required(const corim_member *all, vs_val v, vs_error *err)
{
    for (; all->name; all++)
        if (all->required && !vs_defined(vs_getc(v, all->name)))
            return vs_fail(err, VS_E_INVALID, "member \"%s\" is missing", all->name);
    return VS_OK;
}

vs_code corim_map_put(const corim_codec *k, vs_arena *a, vs_val v, vs_buf *out, vs_error *err)
{
    VS_TRY(want(v, VS_OBJECT, err));
    VS_TRY(check_required(k->of, v, err));
    corim_pair *pairs = vs_alloc_array(a, v.len, sizeof *pairs);
    size_t n = 0;
    VS_TRY(vs_arena_check(a, err));
    for (VS_OBJ_FOR (m, v))
        if (m->val.kind != VS_NULL)
            VS_TRY(put_pair(k->of, a, m, &pairs[n++], err));
    corim_put_pairs(out, pairs, n);
    return VS_OK;
}

vs_val corim_map_get(const corim_codec *k, vs_arena *a, vs_cbor *c)
{
    vs_obj o = {.a = a};
    for (size_t n = vs_cbor_map(c); n > 0 && c->code == VS_OK; n--) {
        int64_t key = vs_cbor_int(c); /* other keys are not defined anywhere */
        const corim_member *m = member_at(k->of, key);
        vs_val v = (m ? m->codec : &corim_raw)->get(m ? m->codec : &corim_raw, a, c);
        if (c->code != VS_OK)
            return vs_undefined();
        vs_span name = m ? vs_str(m->name) : vs_str(vs_sprintf(a, "#%lld", (long long)key));
        vs_obj_add(&o, vs_string(name), v);
    }
    return vs_obj_end(&o, VS_DUP_REFUSE, NULL);
}

/* ---- arrays ---------------------------------------------------------------------------------- */

vs_code corim_tuple_put(const corim_codec *k, vs_arena *a, vs_val v, vs_buf *out, vs_error *err)
{
    const corim_member *all = k->of;
    size_t n = 0, known = 0;
    VS_TRY(want(v, VS_OBJECT, err));
    VS_TRY(check_required(all, v, err));
    for (const corim_member *m = all; m->name; m++)
        if (vs_defined(vs_getc(v, m->name))) {
            known++;
            n = (size_t)(m - all) + 1;
        }
    for (VS_OBJ_FOR (m, v))
        if (!member_of(all, vs_text(m->key)))
            return unknown(vs_text(m->key), err);
    if (known != n)
        return vs_fail(err, VS_E_INVALID, "member \"%s\" is missing", all[known].name);
    vs_cbor_put_array(out, n);
    for (const corim_member *m = all; m < all + n; m++) {
        vs_code code = m->codec->put(m->codec, a, vs_getc(v, m->name), out, err);
        if (code != VS_OK)
            return at(err, code, vs_str(m->name));
    }
    return VS_OK;
}

vs_val corim_tuple_get(const corim_codec *k, vs_arena *a, vs_cbor *c)
{
    const corim_member *m = k->of;
    vs_obj o = {.a = a};
    size_t n = vs_cbor_array(c);
    for (; m->name && n > 0 && c->code == VS_OK; m++, n--)
        vs_obj_put(&o, m->name, m->codec->get(m->codec, a, c));
    if (c->code == VS_OK && (n > 0 || (m->name && m->required)))
        (void)vs_cbor_fail(c, VS_E_INVALID, "too %s elements", n > 0 ? "many" : "few");
    return c->code == VS_OK ? vs_obj_end(&o, VS_DUP_REFUSE, NULL) : vs_undefined();
}

vs_code corim_list_put(const corim_codec *k, vs_arena *a, vs_val v, vs_buf *out, vs_error *err)
{
    const corim_codec *of = k->of;
    VS_TRY(want(v, VS_ARRAY, err));
    if (v.len == 0)
        return vs_fail(err, VS_E_INVALID, "must not be empty");
    vs_cbor_put_array(out, v.len);
    for (VS_ARR_FOR (item, v)) {
        vs_code code = of->put(of, a, *item, out, err);
        if (code != VS_OK)
            return at_index(err, code, (size_t)(item - v.u.items));
    }
    return VS_OK;
}

vs_val corim_list_get(const corim_codec *k, vs_arena *a, vs_cbor *c)
{
    const corim_codec *of = k->of;
    vs_vec list = {.a = a};
    size_t n = vs_cbor_array(c);
    if (c->code == VS_OK && n == 0)
        (void)vs_cbor_fail(c, VS_E_INVALID, "an empty list");
    for (; n > 0 && c->code == VS_OK && vs_arena_ok(a); n--)
        vs_vec_add(&list, of->get(of, a, c));
    return c->code == VS_OK ? vs_vec_end_array(&list) : vs_undefined();
}

/* ---- kinds ----------------------------------------------------------------------------------- */

vs_code corim_choice_put(const corim_codec *k, vs_arena *a, vs_val v, vs_buf *out, vs_error *err)
{
    const corim_choice *kind = k->of;
    vs_val type, value = vs_getc(v, "value");
    VS_TRY(vs_need(v, "type", VS_STRING, &type, err));
    if (v.len != 2 || !vs_defined(value))
        return vs_fail(err, VS_E_INVALID, "must have the members \"type\" and \"value\"");
    if (vs_span_is(vs_text(type), RAW))
        return corim_raw.put(&corim_raw, a, value, out, err);
    while (kind->name && !vs_span_is(vs_text(type), kind->name))
        kind++;
    if (!kind->name)
        return vs_fail(err, VS_E_INVALID, "type \"%.*s\" is not known here",
                       VS_FMT(vs_span_head(vs_text(type), 80)));
    if (kind->tag)
        vs_cbor_put_tag(out, kind->tag);
    vs_code code = kind->codec->put(kind->codec, a, value, out, err);
    return code == VS_OK ? VS_OK : at(err, code, VS_LIT("value"));
}

static const corim_choice *choice_of(const corim_choice *all, vs_cbor look)
{
    look.err = NULL;
    vs_cbor_type t = vs_cbor_peek(&look);
    uint64_t tag = t == VS_CBOR_TAG ? vs_cbor_tag(&look) : 0;
    for (; all->name; all++)
        if (all->tag == tag && (tag || all->major == t))
            return all;
    return NULL;
}

vs_val corim_choice_get(const corim_codec *k, vs_arena *a, vs_cbor *c)
{
    const corim_choice *kind = choice_of(k->of, *c);
    vs_obj o = {.a = a};
    if (kind && kind->tag)
        (void)vs_cbor_tag(c);
    const corim_codec *codec = kind ? kind->codec : &corim_raw;
    vs_obj_put(&o, "type", vs_cstring(kind ? kind->name : RAW));
    vs_obj_put(&o, "value", codec->get(codec, a, c));
    return c->code == VS_OK ? vs_obj_end(&o, VS_DUP_REFUSE, NULL) : vs_undefined();
}

vs_code corim_tag_put(const corim_codec *k, vs_arena *a, vs_val v, vs_buf *out, vs_error *err)
{
    const corim_codec *of = k->of;
    vs_cbor_put_tag(out, k->number);
    return of->put(of, a, v, out, err);
}

vs_val corim_tag_get(const corim_codec *k, vs_arena *a, vs_cbor *c)
{
    const corim_codec *of = k->of;
    bool tagged = vs_cbor_peek(c) == VS_CBOR_TAG;
    if (c->code == VS_OK && (!tagged || vs_cbor_tag(c) != k->number))
        (void)vs_cbor_fail(c, VS_E_INVALID, "tag %llu is missing", (unsigned long long)k->number);
    return c->code == VS_OK ? of->get(of, a, c) : vs_undefined();
}
