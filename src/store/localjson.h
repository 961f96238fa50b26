/* SPDX-License-Identifier: Apache-2.0 */
/* The files of the LocalJson back end, for it and for the fuzzer. */
#ifndef VS_STORE_LOCALJSON_H
#define VS_STORE_LOCALJSON_H

#include "base/buf.h"
#include "value/value.h"

enum { LOCALJSON_FILE_MAX = 64 * 1024 * 1024 };

/* One object, whose members are looked at when they are asked for. It points into `text`. */
VS_MUST vs_code localjson_parse(vs_arena *a, vs_span text, vs_val *out, vs_error *err);
/* A member's bytes. VS_E_IO when it is not base64url with padding. */
VS_MUST vs_code localjson_value(vs_val member, vs_buf *out, vs_error *err);

#endif
