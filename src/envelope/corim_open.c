/* SPDX-License-Identifier: Apache-2.0 */
/* What is around a CoRIM: legacy tags, COSE_Sign1 and its header. */
#include "envelope/corim.h"

#include "envelope/corim_parts.h"

enum { TAG_SIGN1 = 18 };

/* 500 and 502, in any order and number. */
static vs_span without_legacy_tags(vs_span in)
{
    while (vs_span_starts(in, VS_LIT("\xd9\x01\xf4")) || vs_span_starts(in, VS_LIT("\xd9\x01\xf6")))
        in = vs_span_from(in, 3);
    return in;
}

/* ---- header parameters ----------------------------------------------------------------------- */

typedef struct header {
    corim_envelope *e;
    bool has_content_type;
} header;

static void read_content_type(vs_cbor *c, header *h)
{
    static const char *const types[] = {"application/rim+cbor", "application/corim-unsigned+cbor"};
    vs_span s = vs_cbor_text(c);
    vs_span type = vs_span_trim(vs_span_cut(s, ';', &(vs_span){0}, NULL));
    for (size_t i = 0; i < VS_COUNT(types); i++)
        h->has_content_type = h->has_content_type || vs_span_ieq(type, vs_str(types[i]));
    if (c->code == VS_OK && !h->has_content_type)
        (void)vs_cbor_fail(c, VS_E_INVALID, "content type \"%.*s\" is not that of a CoRIM",
                           VS_FMT(vs_span_head(s, 80)));
}

static void read_kid(vs_cbor *c, header *h)
{
    h->e->kid = vs_cbor_bytes(c);
}

static void read_signer(vs_cbor *c, corim_envelope *e)
{
    int64_t key;
    for (size_t n = vs_cbor_map(c); n > 0 && c->code == VS_OK; n--) {
        if (!corim_int_key(c, &key))
            continue;
        if (key == 0)
            e->signer_name = vs_cbor_text(c);
        else
            (void)vs_cbor_skip(c);
    }
}

/* corim-meta-map: {0: {0: signer's name, ...}, 1: validity}. */
static vs_code read_meta_map(vs_span bytes, header *h, vs_error *err)
{
    VS_TRY(vs_cbor_check(bytes, err));
    vs_cbor m = vs_cbor_of(bytes, err);
    int64_t key;
    h->e->meta = bytes;
    for (size_t n = vs_cbor_map(&m); n > 0 && m.code == VS_OK; n--) {
        if (!corim_int_key(&m, &key))
            continue;
        if (key == 0)
            read_signer(&m, h->e);
        else if (key == 1)
            corim_read_validity(&m, &h->e->validity);
        else
            (void)vs_cbor_skip(&m);
    }
    return vs_cbor_end(&m);
}

/* In a byte string: offsets count from its beginning. */
static void read_meta(vs_cbor *c, header *h)
{
    vs_span bytes = vs_cbor_bytes(c);
    if (c->code != VS_OK)
        return;
    c->code = read_meta_map(bytes, h, c->err);
    if (c->code != VS_OK)
        (void)vs_wrap(c->err, "metadata (8)");
}

/* RFC 9360: one certificate, or an array of at least two; one in an array is taken as well. */
static void read_chain(vs_cbor *c, header *h)
{
    corim_envelope *e = h->e;
    if (vs_cbor_peek(c) == VS_CBOR_BYTES) {
        e->chain[e->n_chain++] = vs_cbor_bytes(c);
        return;
    }
    size_t n = vs_cbor_array(c);
    if (c->code == VS_OK && (n == 0 || n > CORIM_CHAIN_MAX))
        (void)vs_cbor_fail(c, VS_E_LIMIT, "%zu certificates, at most %d", n, CORIM_CHAIN_MAX);
    for (size_t i = 0; i < n && c->code == VS_OK; i++)
        e->chain[e->n_chain++] = vs_cbor_bytes(c);
}

static const struct {
    int64_t label;
    void (*read)(vs_cbor *c, header *h);
} parameters[] = {{3, read_content_type}, {4, read_kid}, {8, read_meta}, {33, read_chain}};

static vs_code read_header(vs_span map, header *h, vs_error *err)
{
    vs_cbor c = vs_cbor_of(map, err); /* vs_cose_parse has checked it */
    int64_t label;
    for (size_t n = vs_cbor_map(&c); n > 0 && c.code == VS_OK; n--) {
        if (!corim_int_key(&c, &label))
            continue;
        size_t i = 0;
        while (i < VS_COUNT(parameters) && parameters[i].label != label)
            i++;
        if (i < VS_COUNT(parameters))
            parameters[i].read(&c, h);
        else
            (void)vs_cbor_skip(&c);
    }
    VS_TRY(vs_cbor_end(&c));
    if (!h->has_content_type)
        return vs_fail(err, VS_E_INVALID, "no content type");
    return VS_OK;
}

vs_code corim_open(vs_span in, corim_envelope *out, vs_error *err)
{
    corim_envelope e = {.validity = {INT64_MIN, INT64_MAX}};
    if (in.n > CORIM_SIZE_MAX)
        return vs_fail(err, VS_E_LIMIT, "CoRIM of %zu bytes, at most %d", in.n, CORIM_SIZE_MAX);
    in = without_legacy_tags(in);
    e.manifest = in;
    if (in.n && in.p[0] == (0xc0 | TAG_SIGN1)) {
        header h = {.e = &e};
        e.is_signed = true;
        VS_TRY_WRAP(vs_cose_parse(in, &e.cose, err), err, "signed CoRIM");
        VS_TRY_WRAP(read_header(e.cose.protected_bytes, &h, err), err,
                    "protected header of a signed CoRIM");
        e.manifest = e.cose.payload;
    }
    *out = e;
    return VS_OK;
}
