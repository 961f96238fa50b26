/* SPDX-License-Identifier: Apache-2.0 */
/* Asking the attestation agent, or the data hub, over ttrpc (guest.md 1.1, 3.1). Thread safe. */
#ifndef VS_API_GUEST_CLIENT_H
#define VS_API_GUEST_CLIENT_H

#include "net/ttrpc.h"

/* One call whose request is `fields` (encoded) and whose answer's field 1, bytes or text, is
 * appended. A method that the peer does not have (older agents) is VS_E_UNSUPPORTED or
 * VS_E_NOT_FOUND. */
VS_MUST vs_code guest_ask(vs_ttrpc_client *c, const char *path, vs_span fields, vs_buf *out,
                          vs_error *err);
/* The same with a request that is `in` as field 1. */
VS_MUST vs_code guest_ask_bytes(vs_ttrpc_client *c, const char *path, vs_span in, vs_buf *out,
                                vs_error *err);

/* A cdh_token_getter; `client` is the vs_ttrpc_client of the agent. */
VS_MUST vs_code aa_client_kbs_token(void *client, vs_span refused, vs_buf *json, vs_error *err);

#endif
