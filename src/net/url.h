/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The texts of a request target: percent-coding (RFC 3986 2.1) and form-urlencoded queries. Strict:
 * a '%' without two hex digits and bytes that are not UTF-8 are VS_E_PARSE, never passed on as they
 * are, so that nobody behind this reads a path differently.
 */
#ifndef VS_NET_URL_H
#define VS_NET_URL_H

#include "base/arena.h"

typedef struct vs_url_param {
    vs_span name, value;
} vs_url_param;

/* Decodes once. Without escapes *out points into `raw`. */
VS_MUST vs_code vs_url_decode(vs_arena *a, vs_span raw, vs_span *out, vs_error *err);
/* Splits at '/': "a//b/" has four segments, "" one empty one. */
VS_MUST vs_code vs_url_split(vs_arena *a, vs_span path, vs_span **out, size_t *n, vs_error *err);
/* "a=1&b&c=x+y": '+' is a space, a missing '=' gives an empty value, empty pieces are skipped. In
 * order, repetitions included. */
VS_MUST vs_code vs_url_query(vs_arena *a, vs_span raw, vs_url_param **out, size_t *n,
                             vs_error *err);

/* "host", "host:80", "[::1]:80": the host without brackets, the digits of the port, empty without
 * one. False for anything else that a URL's authority may not be here (user names, percent-coding).
 */
VS_MUST bool vs_url_authority(vs_span all, vs_span *host, vs_span *port);

#endif
