/* SPDX-License-Identifier: Apache-2.0 */
#include "net/grpc_wire.h"

#include <stdio.h>
#include <strings.h>

static const char *const names[] = {
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
};

const char *vs_grpc_status_name(vs_grpc_status s)
{
    return (size_t)s < VS_COUNT(names) ? names[s] : names[VS_GRPC_UNKNOWN];
}

bool vs_grpc_status_parse(vs_span v, vs_grpc_status *out)
{
    uint64_t n;
    if (v.n > 2 || !vs_span_decimal(v, VS_COUNT(names) - 1, &n))
        return false;
    *out = (vs_grpc_status)n;
    return true;
}

bool vs_grpc_is_content_type(vs_span v)
{
    static const char plain[] = "application/grpc", proto[] = "+proto";
    size_t n = sizeof plain - 1;
    if (!vs_span_ieq(vs_span_head(v, n), vs_str(plain)))
        return false;
    v = vs_span_from(v, n);
    if (vs_span_ieq(vs_span_head(v, sizeof proto - 1), vs_str(proto)))
        v = vs_span_from(v, sizeof proto - 1);
    return v.n == 0 || v.p[0] == ';' || v.p[0] == ' ';
}

/* ---- time ------------------------------------------------------------------------------------ */

static const struct {
    char letter;
    int64_t ns;
} units[] = {{'n', 1},
             {'u', 1000},
             {'m', 1000000},
             {'S', 1000000000},
             {'M', 60 * INT64_C(1000000000)},
             {'H', 3600 * INT64_C(1000000000)}};

bool vs_grpc_timeout_parse(vs_span v, int64_t *ns)
{
    static const int64_t most = INT64_C(100) * 366 * 24 * 3600 * 1000000000;
    uint64_t count;
    if (v.n < 2 || v.n > 9 || !vs_span_decimal(vs_span_head(v, v.n - 1), 99999999, &count))
        return false;
    int64_t n = (int64_t)count;
    for (size_t i = 0; i < VS_COUNT(units); i++)
        if (v.p[v.n - 1] == (uint8_t)units[i].letter) {
            *ns = n > most / units[i].ns ? most : n * units[i].ns;
            return true;
        }
    return false;
}

void vs_grpc_timeout_print(int64_t ns, char out[16])
{
    if (ns < 0)
        ns = 0;
    for (size_t i = 0; i < VS_COUNT(units); i++) {
        int64_t n = ns / units[i].ns + (ns % units[i].ns != 0);
        if (n <= 99999999 || i + 1 == VS_COUNT(units)) {
            (void)snprintf(out, 16, "%u%c", (unsigned)(n > 99999999 ? 99999999 : n),
                           units[i].letter);
            return;
        }
    }
}

/* ---- grpc-message ---------------------------------------------------------------------------- */

void vs_grpc_text_encode(vs_buf *out, vs_span text)
{
    size_t start = out->n;
    for (size_t i = 0; i < text.n && out->n - start + 3 <= VS_GRPC_TEXT_MAX; i++) {
        uint8_t c = text.p[i];
        if (c >= 0x20 && c <= 0x7e && c != '%')
            vs_buf_putc(out, (char)c);
        else
            vs_buf_printf(out, "%%%02X", c);
    }
}

static int hex_value(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

void vs_grpc_text_decode(vs_buf *out, vs_span text)
{
    for (size_t i = 0; i < text.n; i++) {
        uint8_t c = text.p[i];
        int high = c == '%' && i + 2 < text.n ? hex_value(text.p[i + 1]) : -1;
        int low = high >= 0 ? hex_value(text.p[i + 2]) : -1;
        if (low >= 0) {
            c = (uint8_t)(high << 4 | low);
            i += 2;
        }
        vs_buf_putc(out, (char)c);
    }
}

/* ---- messages -------------------------------------------------------------------------------- */

void vs_grpc_prefix_write(uint8_t out[VS_GRPC_PREFIX], size_t n)
{
    out[0] = 0;
    for (int i = 0; i < 4; i++)
        out[1 + i] = (uint8_t)(n >> (24 - 8 * i));
}

vs_grpc_status vs_grpc_unframe(vs_span body, size_t cap, vs_span *message, const char **why)
{
    *why = "no message in the body";
    if (body.n == 0)
        return VS_GRPC_UNIMPLEMENTED;
    *why = "the compressed flag is neither 0 nor 1";
    if (body.p[0] > 1)
        return VS_GRPC_INTERNAL;
    *why = "compressed messages are not supported";
    if (body.p[0] == 1)
        return VS_GRPC_UNIMPLEMENTED;
    *why = "the body ends inside of a message";
    if (body.n < VS_GRPC_PREFIX)
        return VS_GRPC_INTERNAL;
    size_t n = (size_t)body.p[1] << 24 | (size_t)body.p[2] << 16 | (size_t)body.p[3] << 8 |
               (size_t)body.p[4];
    if (n > cap) {
        *why = "the message is larger than allowed";
        return VS_GRPC_RESOURCE_EXHAUSTED;
    }
    if (n > body.n - VS_GRPC_PREFIX)
        return VS_GRPC_INTERNAL;
    *why = "more than one message in the body";
    if (n < body.n - VS_GRPC_PREFIX)
        return VS_GRPC_UNIMPLEMENTED;
    *message = vs_span_of(body.p + VS_GRPC_PREFIX, n);
    return VS_GRPC_OK;
}

vs_code vs_grpc_code(vs_grpc_status s)
{
    static const vs_code codes[] = {
        [VS_GRPC_CANCELLED] = VS_E_IO,
        [VS_GRPC_UNKNOWN] = VS_E_IO,
        [VS_GRPC_INVALID_ARGUMENT] = VS_E_INVALID,
        [VS_GRPC_DEADLINE_EXCEEDED] = VS_E_TIMEOUT,
        [VS_GRPC_NOT_FOUND] = VS_E_NOT_FOUND,
        [VS_GRPC_ALREADY_EXISTS] = VS_E_EXISTS,
        [VS_GRPC_PERMISSION_DENIED] = VS_E_DENIED,
        [VS_GRPC_RESOURCE_EXHAUSTED] = VS_E_LIMIT,
        [VS_GRPC_FAILED_PRECONDITION] = VS_E_CONFLICT,
        [VS_GRPC_ABORTED] = VS_E_CONFLICT,
        [VS_GRPC_OUT_OF_RANGE] = VS_E_INVALID,
        [VS_GRPC_UNIMPLEMENTED] = VS_E_UNSUPPORTED,
        [VS_GRPC_INTERNAL] = VS_E_IO,
        [VS_GRPC_UNAVAILABLE] = VS_E_IO,
        [VS_GRPC_DATA_LOSS] = VS_E_IO,
        [VS_GRPC_UNAUTHENTICATED] = VS_E_DENIED,
    };
    return codes[s];
}
