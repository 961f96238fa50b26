/* SPDX-License-Identifier: Apache-2.0 */
/* Several stores as one: each namespace in the store that its route names, and
 * "<namespace>_history" with it. */
#include "store/backend.h"

#include <stdlib.h>

enum { ROUTES_MAX = 16 };

typedef struct routed {
    vs_store base;
    vs_store *rest;
    vs_store_route routes[ROUTES_MAX];
    size_t n;
} routed;

static bool is_of(const char *ns, const char *route)
{
    size_t n = strlen(route);
    return strncmp(ns, route, n) == 0 && (ns[n] == 0 || strcmp(ns + n, "_history") == 0);
}

static vs_store *store_of(const vs_store *base, const char *ns)
{
    const routed *s = (const routed *)base;
    for (size_t i = 0; i < s->n; i++)
        if (is_of(ns, s->routes[i].ns))
            return s->routes[i].store;
    return s->rest;
}

static vs_code routed_get(vs_store *base, const char *ns, vs_span key, int64_t now, vs_buf *out,
                          vs_error *err)
{
    vs_store *s = store_of(base, ns);
    return s->ops->get(s, ns, key, now, out, err);
}

/* All or nothing is a promise of one store, so values put together must be in one. */
static vs_code routed_put(vs_store *base, const vs_store_item *items, size_t n, vs_error *err)
{
    vs_store *s = store_of(base, items[0].ns);
    for (size_t i = 1; i < n; i++)
        if (store_of(base, items[i].ns) != s)
            return vs_fail(err, VS_E_UNSUPPORTED,
                           "values of %s and %s are in different stores and cannot be put together",
                           items[0].ns, items[i].ns);
    return s->ops->put(s, items, n, err);
}

static vs_code routed_remove(vs_store *base, const char *ns, vs_span key, vs_error *err)
{
    vs_store *s = store_of(base, ns);
    return s->ops->remove(s, ns, key, err);
}

static vs_code routed_list(vs_store *base, const char *ns, vs_code (*each)(void *user, vs_span key),
                           void *user, vs_error *err)
{
    vs_store *s = store_of(base, ns);
    return s->ops->list(s, ns, each, user, err);
}

/* Has the store of this route come before, in `rest` or an earlier route? */
static bool seen_before(const routed *s, size_t at)
{
    bool seen = s->routes[at].store == s->rest;
    for (size_t i = 0; i < at; i++)
        seen |= s->routes[i].store == s->routes[at].store;
    return seen;
}

static vs_code routed_purge(vs_store *base, int64_t now, unsigned *left, vs_error *err)
{
    const routed *s = (const routed *)base;
    VS_TRY(s->rest->ops->purge(s->rest, now, left, err));
    for (size_t i = 0; i < s->n; i++)
        if (!seen_before(s, i))
            VS_TRY(s->routes[i].store->ops->purge(s->routes[i].store, now, left, err));
    return VS_OK;
}

static vs_code routed_ping(vs_store *base, vs_error *err)
{
    const routed *s = (const routed *)base;
    VS_TRY(s->rest->ops->ping(s->rest, err));
    for (size_t i = 0; i < s->n; i++)
        if (!seen_before(s, i))
            VS_TRY_WRAP(s->routes[i].store->ops->ping(s->routes[i].store, err), err,
                        "the store of %s", s->routes[i].ns);
    return VS_OK;
}

static vs_code routed_changes(vs_store *base, const char *ns, uint64_t *n, vs_error *err)
{
    return vs_store_changes(store_of(base, ns), ns, n, err);
}

static void routed_close(vs_store *base)
{
    free(base);
}

static const store_ops ops = {routed_get,   routed_put,  routed_remove, routed_list,
                              routed_purge, routed_ping, routed_close,  routed_changes};

vs_code vs_store_open_routed(vs_store *rest, const vs_store_route *routes, size_t n, vs_store **out,
                             vs_error *err)
{
    *out = NULL;
    if (n > ROUTES_MAX)
        return vs_fail(err, VS_E_LIMIT, "%zu routes are more than %d", n, ROUTES_MAX);
    routed *s = calloc(1, sizeof *s);
    if (!s)
        return vs_fail(err, VS_E_NOMEM, "out of memory");
    *s = (routed){.base.ops = &ops, .rest = rest, .n = n};
    for (size_t i = 0; i < n; i++)
        s->routes[i] = routes[i];
    *out = &s->base;
    return VS_OK;
}
