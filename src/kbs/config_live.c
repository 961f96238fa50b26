/* SPDX-License-Identifier: Apache-2.0 */
/* Which keys a running server takes over from a changed file, and which it cannot. */
#include <stdio.h>

#include "kbs/config.h"

enum { PATH_ROOM = 256 };

/* Taken over, with all that is below. Everything else needs a restart. */
static const char *const live[] = {
    "admin",
    "attestation_token",
    "attestation_service.timeout",
    "attestation_service.oldest_protocol",
    "http_server.rate_per_source",
    "http_server.burst_per_source",
    "http_server.connections_per_source",
    "key_sources",
    "operations.log_level",
};

/* ... except what listeners were made with. */
static const struct {
    const char *key, *pointer;
} made_with[] = {
    {"admin.unix_socket", "/admin/unix_socket"},
    {"admin.authentication.mtls.client_ca", "/admin/authentication/mtls/client_ca"},
};

static bool is_live(const char *path)
{
    for (size_t i = 0; i < VS_COUNT(live); i++)
        if (strcmp(path, live[i]) == 0)
            return true;
    return false;
}

typedef struct teller {
    void (*tell)(void *user, const char *key);
    void *user;
} teller;

static void compare(const teller *t, const char *path, vs_val before, vs_val after);

/* Members of `all`; those that `other` has too only when `both` is set. */
static void members(const teller *t, const char *path, vs_val all, vs_val other, bool both)
{
    for (VS_OBJ_FOR (m, all)) {
        char full[PATH_ROOM];
        vs_val there = other.kind == VS_OBJECT ? vs_get(other, vs_text(m->key)) : vs_undefined();
        if (!both && vs_defined(there))
            continue;
        (void)snprintf(full, sizeof full, "%s%s%.*s", path, *path ? "." : "",
                       VS_FMT(vs_text(m->key)));
        compare(t, full, m->val, there);
    }
}

static bool same(vs_val a, vs_val b)
{
    return vs_defined(a) == vs_defined(b) && (!vs_defined(a) || vs_cmp(a, b) == 0);
}

static void compare(const teller *t, const char *path, vs_val before, vs_val after)
{
    if (is_live(path))
        return;
    bool tables = before.kind == VS_OBJECT || after.kind == VS_OBJECT;
    if (tables) {
        if (before.kind == VS_OBJECT)
            members(t, path, before, after, true);
        if (after.kind == VS_OBJECT)
            members(t, path, after, before, false);
    } else if (!same(before, after)) {
        t->tell(t->user, path);
    }
}

void kbs_config_needs_restart(vs_val before, vs_val after,
                              void (*tell)(void *user, const char *key), void *user)
{
    const teller t = {tell, user};
    compare(&t, "", before, after);
    for (size_t i = 0; i < VS_COUNT(made_with); i++) {
        vs_span at = vs_str(made_with[i].pointer);
        if (!same(vs_pointer(before, at), vs_pointer(after, at)))
            tell(user, made_with[i].key);
    }
}
