/* SPDX-License-Identifier: Apache-2.0 */
#include "rego/json_path.h"

/* RFC 6901 section 4: ~1 is '/', ~0 is '~'. */
static vs_val unescape(vs_arena *a, vs_span step)
{
    if (!step.n || !memchr(step.p, '~', step.n))
        return vs_string(step);
    uint8_t *to = vs_alloc(a, step.n);
    size_t n = 0;
    if (!to)
        return vs_undefined();
    for (size_t i = 0; i < step.n; i++) {
        bool escape =
            step.p[i] == '~' && i + 1 < step.n && (step.p[i + 1] == '0' || step.p[i + 1] == '1');
        if (escape)
            i++;
        to[n++] = !escape ? step.p[i] : step.p[i] == '1' ? '/' : '~';
    }
    return vs_string(vs_span_of(to, n));
}

bool rego_json_path(vs_arena *a, vs_val path, vs_val *out)
{
    if (path.kind == VS_ARRAY) {
        *out = path;
        return true;
    }
    if (path.kind != VS_STRING)
        return false;
    vs_vec steps = {.a = a};
    vs_span rest = vs_text(path);
    while (rest.n && rest.p[0] == '/')
        rest = vs_span_from(rest, 1);
    for (bool more = vs_text(path).n > 0; more;)
        vs_vec_add(&steps, unescape(a, vs_span_cut(rest, '/', &rest, &more)));
    *out = vs_vec_end_array(&steps);
    return true;
}
