/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Identities that a connection shows by itself: a client certificate that was verified, or the
 * credentials of a process on this machine. Compared whole: a name that begins or ends with a
 * configured one is another name.
 */
#ifndef VS_KBS_PEER_H
#define VS_KBS_PEER_H

#include "kbs/config.h"

typedef struct kbs_peer {
    vs_span subject;     /* of the verified certificate, RFC 2253; p == NULL: none */
    const vs_span *sans; /* "DNS:kbs.example", "URI:spiffe://...", ... */
    size_t n_sans;
    bool local;        /* over a Unix socket, from a process of: */
    uint32_t uid, gid; /* effective, primary group */
} kbs_peer;

/* An identity of the configuration with its names looked up. */
typedef struct kbs_unix_ids {
    bool by_user, by_group; /* with both, both must be so */
    uint32_t uid, gid;
} kbs_unix_ids;

/* VS_E_INVALID: no role, neither user nor group, or one that does not exist. */
VS_MUST vs_code kbs_unix_ids_of(const kbs_unix_identity *id, kbs_unix_ids *out, vs_error *err);
bool kbs_unix_ids_match(const kbs_unix_ids *ids, const kbs_peer *peer);

/* VS_E_INVALID: no role, or not exactly one of subject and san. */
VS_MUST vs_code kbs_mtls_identity_check(const kbs_mtls_identity *id, vs_error *err);
bool kbs_mtls_identity_match(const kbs_mtls_identity *id, const kbs_peer *peer);

#endif
