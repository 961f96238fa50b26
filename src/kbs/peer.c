/* SPDX-License-Identifier: Apache-2.0 */
#include "kbs/peer.h"

#include "base/users.h"

vs_code kbs_unix_ids_of(const kbs_unix_identity *id, kbs_unix_ids *out, vs_error *err)
{
    *out = (kbs_unix_ids){.by_user = id->user != NULL, .by_group = id->group != NULL};
    if (!id->role || !*id->role || (!id->user && !id->group))
        return vs_fail(err, VS_E_INVALID,
                       "a Unix identity needs a role, and a user or a group or both");
    if (id->user)
        VS_TRY(vs_user_id(id->user, &out->uid, err));
    return id->group ? vs_group_id(id->group, &out->gid, err) : VS_OK;
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
