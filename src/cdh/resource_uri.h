/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of secrets inside a guest (guest.md 3.4): kbs://[host]/path[?query] for the plugin
 * "resource", kbs+<plugin>://... for another. Which server is asked does not depend on the host
 * part, which is read and passed over.
 */
#ifndef VS_CDH_RESOURCE_URI_H
#define VS_CDH_RESOURCE_URI_H

#include "base/buf.h"

enum { CDH_URI_MAX = 4096 };

typedef struct cdh_uri { /* on the arena, NUL terminated */
    const char *plugin;
    const char *path;  /* decoded; segments that are neither empty nor "." nor ".." */
    const char *query; /* as written; NULL = none */
} cdh_uri;

/* True when it begins like one, so that it is no file name. */
bool cdh_is_uri(vs_span text);
VS_MUST vs_code cdh_uri_parse(vs_arena *a, vs_span text, cdh_uri *out, vs_error *err);

#endif
