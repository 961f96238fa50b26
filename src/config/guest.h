/* SPDX-License-Identifier: Apache-2.0 */
/* Settings that reach a guest without a file (guest.md 1.5, 3.2). */
#ifndef VS_CONFIG_GUEST_H
#define VS_CONFIG_GUEST_H

#include "base/error.h"

/* Of the environment; NULL = not set. */
typedef struct guest_env {
    const char *aa_kbc_params; /* AA_KBC_PARAMS, "<kbc>::<url>" */
    const char *aa_socket;     /* AA_SOCKET, where the hub finds the agent */
    const char *kbs_cert;      /* KBS_CERT, PEM text: trusted besides the system's */
} guest_env;
guest_env guest_env_read(void); /* texts are getenv's */

/* "<kbc>::<url>", "<uri>::<path>": cut at the first "::", so that an IPv6 address may follow. */
VS_MUST vs_code guest_split(vs_span text, vs_span *before, vs_span *after, vs_error *err);
/* The value of the last "<name>=..." word of a kernel command line; empty = none. */
vs_span guest_cmdline_value(vs_span cmdline, const char *name);

#endif
