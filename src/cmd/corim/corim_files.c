/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "cmd/corim/corim_tool.h"
#include "value/json.h"

vs_code corim_read(vs_arena *a, const char *path, vs_span *out, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(CORIM_SIZE_MAX);
    VS_TRY(vs_read_file(path, &text, err));
    *out = vs_dup(a, vs_buf_span(&text));
    return vs_arena_check(a, err);
}

vs_code corim_read_json(vs_arena *a, const char *path, vs_val *out, vs_error *err)
{
    vs_span text;
    VS_TRY_WRAP(corim_read(a, path, &text, err), err, "%s", path);
    VS_TRY_WRAP(vs_json_parse(a, text, NULL, out, err), err, "%s", path);
    return VS_OK;
}

vs_code corim_write(const char *path, vs_span data, vs_error *err)
{
    if (strcmp(path, "-") != 0)
        return vs_write_file(path, data, 0644, err);
    if (isatty(STDOUT_FILENO))
        return vs_fail(err, VS_E_INVALID, "a CoRIM is no text for a terminal: use --output FILE");
    return vs_write_fd(STDOUT_FILENO, data, err);
}

int corim_end(const char *name, const char *file, vs_code code, const vs_error *err)
{
    if (code == VS_OK)
        return EXIT_SUCCESS;
    view_complain(name, file, err);
    return EXIT_FAILURE;
}

vs_code corim_load(vs_arena *a, const char *path, corim_file *out, vs_error *err)
{
    *out = (corim_file){0};
    VS_TRY(corim_read(a, path, &out->bytes, err));
    VS_TRY(corim_open(out->bytes, &out->env, err));
    VS_TRY(corim_decode(a, out->env.manifest, &out->content, err));
    return corim_to_template(a, out->env.manifest, &out->template, err);
}
