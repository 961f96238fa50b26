/* SPDX-License-Identifier: Apache-2.0 */
/* A request as the broker would give it to a plugin. */
#ifndef TEST_PLUGINS_REQUEST_H
#define TEST_PLUGINS_REQUEST_H

#include "testing.h"

#include "plugins/plugins.h"

typedef struct request {
    kbs_method method;
    const char *path; /* behind the plugin's name */
    vs_span body;
    const char *query[8][2];
} request;

enum { SEGMENTS = 16 };

static inline kbs_plugin_call call_of(vs_arena *a, const request *r)
{
    vs_span *segments = vs_alloc_array(a, SEGMENTS, sizeof *segments), rest = vs_str(r->path);
    size_t n = 0;
    for (bool more = true; more && n < SEGMENTS;)
        segments[n++] = vs_span_cut(rest, '/', &rest, &more);
    vs_obj query = {.a = a};
    for (size_t i = 0; i < VS_COUNT(r->query) && r->query[i][0]; i++)
        vs_obj_put(&query, r->query[i][0], vs_cstring(r->query[i][1]));
    return (kbs_plugin_call){.method = r->method,
                             .path = segments,
                             .n_path = n,
                             .query = vs_obj_end(&query, VS_DUP_LAST, NULL),
                             .body = r->body,
                             .arena = a};
}

/* `handle` alone, which must stand without `check` having been called. The answer replaces `out`.
 */
static inline vs_code handle_on(vs_arena *a, const kbs_plugin *p, request r, vs_buf *out,
                                vs_error *err)
{
    const kbs_plugin_call call = call_of(a, &r);
    *err = (vs_error){0};
    vs_buf_clear(out);
    return p->ops->handle(p->self, &call, out, err);
}

static inline vs_code check_on(vs_arena *a, const kbs_plugin *p, request r, vs_error *err)
{
    const kbs_plugin_call call = call_of(a, &r);
    *err = (vs_error){0};
    return p->ops->check ? p->ops->check(p->self, &call, err) : VS_OK;
}

#define assert_says(err, text)                                                                     \
    do {                                                                                           \
        char all_[VS_ERROR_TEXT];                                                                  \
        if (!strstr(vs_error_text((err), all_, sizeof all_), (text)))                              \
            fail_msg("\"%s\" does not say \"%s\"", all_, (text));                                  \
    } while (0)

#endif
