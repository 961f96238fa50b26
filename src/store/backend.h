/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a storage back end implements. store.c checks namespaces, keys and sizes before any of these
 * is called, so that the grammar is the same everywhere; contracts are those of store.h.
 */
#ifndef VS_STORE_BACKEND_H
#define VS_STORE_BACKEND_H

#include "store/store.h"

enum { VS_STORE_KEY_MAX = 512, VS_STORE_NS_MAX = 64 };

typedef struct store_ops {
    vs_code (*get)(vs_store *s, const char *ns, vs_span key, int64_t now, vs_buf *out,
                   vs_error *err);
    vs_code (*put)(vs_store *s, const vs_store_item *items, size_t n, vs_error *err);
    vs_code (*remove)(vs_store *s, const char *ns, vs_span key, vs_error *err);
    vs_code (*list)(vs_store *s, const char *ns, vs_code (*each)(void *user, vs_span key),
                    void *user, vs_error *err);
    /* *left: at most so many; what is left of it afterwards. */
    vs_code (*purge)(vs_store *s, int64_t now, unsigned *left, vs_error *err);
    vs_code (*ping)(vs_store *s, vs_error *err);
    void (*close)(vs_store *s);
    vs_code (*changes)(vs_store *s, const char *ns, uint64_t *n, vs_error *err); /* NULL: 0 */
} store_ops;

/* The first member of each back end's own struct. */
struct vs_store {
    const store_ops *ops;
};

/* "after which the value counts as absent": the second named is the last valid one. */
static inline bool store_expired(int64_t expires, int64_t now)
{
    return expires != 0 && now != 0 && expires < now;
}

/* One sentence for every back end and every reason, so that callers can rely on the code only. */
VS_MUST static inline vs_code store_not_found(const char *ns, vs_span key, vs_error *err)
{
    return vs_fail(err, VS_E_NOT_FOUND, "no value for \"%.*s\" in %s", VS_FMT(key), ns);
}

/* Why an item was not put: for VS_PUT_CREATE there is a value, for VS_PUT_SWAP another one or none.
 */
VS_MUST static inline vs_code store_taken(const vs_store_item *item, vs_error *err)
{
    if (item->mode == VS_PUT_SWAP)
        return vs_fail(err, VS_E_CONFLICT, "the value for \"%.*s\" in %s was changed meanwhile",
                       VS_FMT(item->key), item->ns);
    return vs_fail(err, VS_E_EXISTS, "there is a value for \"%.*s\" in %s already",
                   VS_FMT(item->key), item->ns);
}

/* Appends a value read by a back end; refuses before a byte is copied when it does not fit. */
static inline vs_code store_give(vs_buf *out, vs_span value, vs_error *err)
{
    if (value.n > out->cap - out->n)
        return vs_fail(err, VS_E_LIMIT, "stored value of %zu bytes is larger than %zu expected",
                       value.n, out->cap - out->n);
    vs_buf_put(out, value);
    return vs_buf_check(out, err);
}

#endif
