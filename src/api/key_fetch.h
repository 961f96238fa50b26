/* SPDX-License-Identifier: Apache-2.0 */
/* How keys behind https:// URLs are fetched (kbs_fetch of kbs/config.h). */
#ifndef VS_API_KEY_FETCH_H
#define VS_API_KEY_FETCH_H

#include "base/buf.h"

/* `user` = const char *: a PEM file of certificates to trust beside the system's, or NULL. Connects
 * within 5 s, is done within 15 s, takes 1 MiB at most; follows no redirects. */
VS_MUST vs_code api_fetch_key(void *user, const char *url, vs_buf *out, vs_error *err);

#endif
