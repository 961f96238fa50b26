/* SPDX-License-Identifier: Apache-2.0 */
#include "config/guest.h"

#include <stdlib.h>

guest_env guest_env_read(void)
{
    return (guest_env){.aa_kbc_params = getenv("AA_KBC_PARAMS"),
                       .aa_socket = getenv("AA_SOCKET"),
                       .kbs_cert = getenv("KBS_CERT")};
}

vs_code guest_split(vs_span text, vs_span *before, vs_span *after, vs_error *err)
{
    const uint8_t *at = text.p ? memmem(text.p, text.n, "::", 2) : NULL;
    if (!at)
        return vs_fail(err, VS_E_INVALID, "\"%.*s\" has no \"::\" in it",
                       VS_FMT(vs_span_head(text, 200)));
    *before = vs_span_head(text, (size_t)(at - text.p));
    *after = vs_span_from(text, before->n + 2);
    return VS_OK;
}

vs_span guest_cmdline_value(vs_span cmdline, const char *name)
{
    vs_span value = {0};
    while (cmdline.n) {
        vs_span word = vs_span_trim(vs_span_cut(cmdline, ' ', &cmdline, NULL));
        bool found;
        vs_span rest, key = vs_span_cut(word, '=', &rest, &found);
        if (found && vs_span_is(key, name))
            value = rest;
    }
    return value;
}
