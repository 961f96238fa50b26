/* SPDX-License-Identifier: Apache-2.0 */
#include "store/backend.h"

#include <string.h>

#include "base/clock.h"

enum { PURGE_ROUND = 1000, PURGE_S = 5 };

static vs_code check_namespace(const char *ns, vs_error *err)
{
    size_t n = strlen(ns);
    if (n == 0 || n > VS_STORE_NS_MAX || strspn(ns, "abcdefghijklmnopqrstuvwxyz_") != n)
        return vs_fail(err, VS_E_INVALID, "storage namespace \"%.80s\" is not of the form [a-z_]+",
                       ns);
    return VS_OK;
}

/* The one place where keys are judged. A percent sign is refused so that no layer above or below
 * can decode a key into another one; overlong UTF-8 falls with everything that is not ASCII. */
bool vs_store_key_ok(vs_span key)
{
    if (key.n == 0 || key.n > VS_STORE_KEY_MAX)
        return false;
    bool at_start = true; /* of a segment */
    for (size_t i = 0; i < key.n; i++) {
        uint8_t c = key.p[i];
        if (c < 0x20 || c > 0x7e || c == '\\' || c == '%')
            return false;
        if (at_start && (c == '/' || c == '.'))
            return false;
        at_start = c == '/';
    }
    return !at_start;
}

static vs_code check(const char *ns, vs_span key, vs_error *err)
{
    VS_TRY(check_namespace(ns, err));
    if (!vs_store_key_ok(key))
        return vs_fail(err, VS_E_INVALID,
                       "storage key \"%.*s\" is not allowed: 1 to %d printable ASCII characters "
                       "without \\ and %%, no segment empty or starting with a dot",
                       VS_FMT(vs_span_head(key, 80)), VS_STORE_KEY_MAX);
    return VS_OK;
}

vs_code vs_store_get(vs_store *s, const char *ns, vs_span key, int64_t now, vs_buf *out,
                     vs_error *err)
{
    VS_TRY(check(ns, key, err));
    return s->ops->get(s, ns, key, now, out, err);
}

vs_code vs_store_changes(vs_store *s, const char *ns, uint64_t *n, vs_error *err)
{
    *n = 0;
    VS_TRY(check_namespace(ns, err));
    return s->ops->changes ? s->ops->changes(s, ns, n, err) : VS_OK;
}

vs_code vs_store_put_all(vs_store *s, const vs_store_item *items, size_t n, vs_error *err)
{
    for (size_t i = 0; i < n; i++) {
        VS_TRY(check(items[i].ns, items[i].key, err));
        if (items[i].value.n > VS_STORE_VALUE_MAX)
            return vs_fail(err, VS_E_LIMIT, "value of %zu bytes is larger than the limit of %d",
                           items[i].value.n, VS_STORE_VALUE_MAX);
        if (items[i].mode == VS_PUT_SWAP && items[i].expires)
            return vs_fail(err, VS_E_INVALID, "a value put in another's place has no expiry");
        if (items[i].expires < 0)
            return vs_fail(err, VS_E_INVALID, "expiry %lld is negative",
                           (long long)items[i].expires);
    }
    return n ? s->ops->put(s, items, n, err) : VS_OK;
}

vs_code vs_store_put(vs_store *s, const char *ns, vs_span key, vs_span value, int64_t expires,
                     vs_put_mode mode, vs_error *err)
{
    vs_store_item item = {.ns = ns, .key = key, .value = value, .expires = expires, .mode = mode};
    return vs_store_put_all(s, &item, 1, err);
}

vs_code vs_store_delete(vs_store *s, const char *ns, vs_span key, vs_error *err)
{
    VS_TRY(check(ns, key, err));
    return s->ops->remove(s, ns, key, err);
}

vs_code vs_store_list(vs_store *s, const char *ns, vs_code (*each)(void *user, vs_span key),
                      void *user, vs_error *err)
{
    VS_TRY(check_namespace(ns, err));
    return s->ops->list(s, ns, each, user, err);
}

vs_code vs_store_purge(vs_store *s, int64_t now, unsigned max, vs_error *err)
{
    return s->ops->purge(s, now, &max, err);
}

vs_code vs_store_purge_all(vs_store *s, int64_t now, vs_error *err)
{
    int64_t until = vs_mono_ns() + (int64_t)PURGE_S * 1000000000;
    unsigned left;
    do {
        left = PURGE_ROUND;
        VS_TRY(s->ops->purge(s, now, &left, err));
    } while (left == 0 && vs_mono_ns() < until);
    return VS_OK;
}

vs_code vs_store_ping(vs_store *s, vs_error *err)
{
    VS_TRY_WRAP(s->ops->ping(s, err), err, "the store does not work");
    return VS_OK;
}

void vs_store_close(vs_store **s)
{
    if (*s)
        (*s)->ops->close(*s);
    *s = NULL;
}
