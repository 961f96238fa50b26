/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Media types (RFC 9110 8.3.1) and what a client accepts (12.5.1).
 *
 * A media type is compared in a normal form: type, subtype and parameter names in lower case, one
 * space behind each ';', parameters sorted by name, a value quoted exactly when it is no token.
 * Values of parameters are compared as they are.
 */
#ifndef VS_NET_MEDIA_TYPE_H
#define VS_NET_MEDIA_TYPE_H

#include "base/arena.h"

enum { VS_MEDIA_TYPE_MAX = 1024, VS_MEDIA_PARAMS_MAX = 8 };

/* The normal form of a Content-Type, on the arena. VS_E_PARSE: not one media type (a value with a
 * ':' or a '/' must be quoted), or longer than the limits above. */
VS_MUST vs_code vs_media_type_normal(vs_arena *a, vs_span text, vs_span *out, vs_error *err);

/* Whether an Accept header (p == NULL: none, which accepts everything) accepts one of `types`, in
 * normal form: the type itself, or a range that holds it, with a weight above 0. Parameters of a
 * range, but for q, must be those of the type. What cannot be read in it accepts nothing. */
VS_MUST bool vs_media_accepts(vs_span accept, const char *const *types, size_t n);

#endif
