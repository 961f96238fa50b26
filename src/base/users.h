/* SPDX-License-Identifier: Apache-2.0 */
/* Users and groups as an operator writes them: a name, or a number that is an id. */
#ifndef VS_BASE_USERS_H
#define VS_BASE_USERS_H

#include "base/error.h"

/* VS_E_INVALID when there is none of that name. */
VS_MUST vs_code vs_user_id(const char *text, uint32_t *out, vs_error *err);
VS_MUST vs_code vs_group_id(const char *text, uint32_t *out, vs_error *err);

#define VS_ID_NOBODY UINT32_MAX /* an id that no user and no group has */

/* What the kernel says of a peer, as an id to compare with. In a user namespace it gives one and
 * the same id (65534) for all who are not in it; that one names nobody then: VS_ID_NOBODY. */
uint32_t vs_peer_uid(uint32_t said);
uint32_t vs_peer_gid(uint32_t said);
/* Reads what these two need to know of this process's user namespace, once. To be called while
 * /proc can be read; when it cannot, 65534 names nobody. */
void vs_peer_ids_prepare(void);

#endif
