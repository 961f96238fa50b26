/* SPDX-License-Identifier: Apache-2.0 */
/* What a proxy says about a client. The first byte chooses: a PROXY header, Forwarded,
 * X-Forwarded-For (fields separated by line feeds), a traceparent. */
#include <stdlib.h>

#include "base/trace.h"
#include "net/origin.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FIELDS = 16 };

static void proxy(vs_span in)
{
    vs_proxy_head head;
    size_t n = vs_proxy_size(in);
    if (n > VS_PROXY_MAX)
        abort();
    vs_code code = vs_proxy_parse(vs_span_head(in, n), &head, NULL);
    if (code == VS_OK && (n < VS_PROXY_FIXED || n > in.n))
        abort();
}

static void headers(vs_span in, bool standard)
{
    vs_span fields[FIELDS];
    vs_cidr trusted[2];
    vs_ip before = {{1}}, ip = before;
    vs_forwarded f = {.fields = fields, .trusted = trusted, .n_trusted = VS_COUNT(trusted)};
    if (vs_cidr_parse("10.0.0.0/8", &trusted[0], NULL) != VS_OK ||
        vs_cidr_parse("fd00::/8", &trusted[1], NULL) != VS_OK)
        abort();
    while (in.n && f.n < FIELDS)
        fields[f.n++] = vs_span_cut(in, '\n', &in, NULL);
    (void)!(standard ? vs_forwarded_client(&f, &ip, NULL) : vs_x_forwarded_client(&f, &ip, NULL));
    char text[VS_IP_TEXT];
    vs_ip again;
    if (!vs_ip_parse(vs_str(vs_ip_print(ip, 0, text)), &again) || memcmp(&again, &ip, sizeof ip))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    vs_span rest = vs_span_of(data + 1, size - 1);
    switch (data[0] & 3) {
    case 0: proxy(rest); break;
    case 1: headers(rest, true); break;
    case 2: headers(rest, false); break;
    default:
        vs_trace_begin(rest);
        if (strlen(vs_traceparent()) != VS_TRACE_TEXT - 1)
            abort();
        vs_trace_end();
    }
    return 0;
}
