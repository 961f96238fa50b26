/* SPDX-License-Identifier: Apache-2.0 */
#include "kbs/peer.h"

#include <grp.h>
#include <pwd.h>

/* A number, all of it, that is an id ((uid_t)-1 is none). */
static bool number_of(const char *text, uint32_t *out)
{
    uint64_t value;
    if (strlen(text) > 10 || !vs_span_decimal(vs_str(text), UINT32_MAX - 1, &value))
        return false;
    *out = (uint32_t)value;
    return true;
}

static bool user_of(const char *name, uint32_t *out)
{
    const struct passwd *pw = getpwnam(name);
    if (pw)
        *out = pw->pw_uid;
    return pw != NULL;
}

static bool group_of(const char *name, uint32_t *out)
{
    const struct group *gr = getgrnam(name);
    if (gr)
        *out = gr->gr_gid;
    return gr != NULL;
}

vs_code kbs_unix_ids_of(const kbs_unix_identity *id, kbs_unix_ids *out, vs_error *err)
{
    *out = (kbs_unix_ids){.by_user = id->user != NULL, .by_group = id->group != NULL};
    if (!id->role || !*id->role || (!id->user && !id->group))
        return vs_fail(err, VS_E_INVALID,
                       "a Unix identity needs a role, and a user or a group or both");
    if (id->user && !number_of(id->user, &out->uid) && !user_of(id->user, &out->uid))
        return vs_fail(err, VS_E_INVALID, "there is no user \"%.80s\"", id->user);
    if (id->group && !number_of(id->group, &out->gid) && !group_of(id->group, &out->gid))
        return vs_fail(err, VS_E_INVALID, "there is no group \"%.80s\"", id->group);
    return VS_OK;
}

bool kbs_unix_ids_match(const kbs_unix_ids *ids, const kbs_peer *peer)
{
    return peer->local && (ids->by_user || ids->by_group) &&
           (!ids->by_user || ids->uid == peer->uid) && (!ids->by_group || ids->gid == peer->gid);
}

vs_code kbs_mtls_identity_check(const kbs_mtls_identity *id, vs_error *err)
{
    bool one = (id->subject && *id->subject) != (id->san && *id->san);
    if (!one || !id->role || !*id->role)
        return vs_fail(err, VS_E_INVALID,
                       "an identity by certificate needs a role, and either a subject or a san");
    return VS_OK;
}

bool kbs_mtls_identity_match(const kbs_mtls_identity *id, const kbs_peer *peer)
{
    if (!peer->subject.p)
        return false;
    if (id->subject && *id->subject)
        return vs_span_is(peer->subject, id->subject);
    for (size_t i = 0; i < peer->n_sans; i++)
        if (vs_span_is(peer->sans[i], id->san))
            return true;
    return false;
}
