/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http_parse.h"

#include <strings.h>

#include "net/url.h"

enum {
    BAD = 400,
    EXPECTATION_FAILED = 417,
    TOO_MANY_FIELDS = 431,
    NOT_IMPLEMENTED = 501,
    VERSION = 505
};

size_t vs_http_head_end(vs_span in, size_t *scan, bool *bad)
{
    *bad = false;
    while (*scan < in.n) {
        const uint8_t *lf = memchr(in.p + *scan, '\n', in.n - *scan);
        if (!lf) {
            *scan = in.n;
            return 0;
        }
        size_t at = (size_t)(lf - in.p);
        if (at == 0 || in.p[at - 1] != '\r') {
            *bad = true;
            return 0;
        }
        *scan = at + 1;
        if (at >= 3 && in.p[at - 2] == '\n')
            return at + 1;
    }
    return 0;
}

/* RFC 9110 5.6.2 */
static bool is_token_char(uint8_t c)
{
    static const char others[] = "!#$%&'*+-.^_`|~";
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           (c != 0 && strchr(others, c) != NULL);
}

static bool is_token(vs_span s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!is_token_char(s.p[i]))
            return false;
    return s.n > 0;
}

/* RFC 9110 5.5: visible characters, obs-text, space and tab. */
static bool is_field_value(vs_span s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((s.p[i] < 0x20 && s.p[i] != '\t') || s.p[i] == 0x7f)
            return false;
    return true;
}

static vs_span trim_ows(vs_span s)
{
    while (s.n && (s.p[0] == ' ' || s.p[0] == '\t'))
        s = vs_span_from(s, 1);
    while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
        s.n--;
    return s;
}

/* Takes one line off *text. The caller has seen that each LF follows a CR. */
static bool take_line(vs_span *text, vs_span *line)
{
    const uint8_t *lf = text->n ? memchr(text->p, '\n', text->n) : NULL;
    if (!lf || lf == text->p || lf[-1] != '\r')
        return false;
    *line = vs_span_of(text->p, (size_t)(lf - text->p) - 1);
    *text = vs_span_from(*text, line->n + 2);
    return true;
}

vs_http_method vs_http_method_of(vs_span name)
{
    static const struct {
        const char *name;
        vs_http_method method;
    } known[] = {{"GET", VS_HTTP_GET},       {"POST", VS_HTTP_POST}, {"PUT", VS_HTTP_PUT},
                 {"DELETE", VS_HTTP_DELETE}, {"HEAD", VS_HTTP_HEAD}, {"OPTIONS", VS_HTTP_OPTIONS}};
    for (size_t i = 0; i < VS_COUNT(known); i++)
        if (vs_span_is(name, known[i].name))
            return known[i].method;
    return VS_HTTP_OTHER;
}

/* Takes "http://authority" off a target in absolute form; others stay. False: the authority is none
 * (RFC 9110 4.2.1), or has user information (4.2.4). */
static bool take_authority(vs_span *target, vs_span *authority)
{
    static const char *const schemes[] = {"http://", "https://"};
    for (size_t i = 0; i < VS_COUNT(schemes); i++) {
        size_t n = strlen(schemes[i]), end = n;
        if (target->n < n || strncasecmp((const char *)target->p, schemes[i], n) != 0)
            continue;
        while (end < target->n && target->p[end] != '/')
            end++;
        vs_span host, port;
        *authority = vs_span_of(target->p + n, end - n);
        *target = vs_span_from(*target, end);
        return vs_url_authority(*authority, &host, &port);
    }
    return true;
}

int vs_http_target_parse(vs_span target, vs_http_head *out)
{
    for (size_t i = 0; i < target.n; i++)
        if (target.p[i] <= 0x20 || target.p[i] >= 0x7f || target.p[i] == '#')
            return BAD;
    bool asterisk = vs_span_is(target, "*");
    if (!take_authority(&target, &out->authority) ||
        (!asterisk && (target.n == 0 || target.p[0] != '/')))
        return BAD;
    out->path = vs_span_cut(target, '?', &out->query, NULL);
    return 0;
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static int parse_version(vs_span v, vs_http_head *out)
{
    if (v.n != 8 || memcmp(v.p, "HTTP/", 5) != 0 || !is_digit(v.p[5]) || v.p[6] != '.' ||
        !is_digit(v.p[7]))
        return BAD;
    if (v.p[5] != '1' || v.p[7] > '1')
        return VERSION;
    out->http10 = v.p[7] == '0';
    return 0;
}

static int parse_request_line(vs_span line, vs_http_head *out)
{
    vs_span rest, version;
    vs_span method = vs_span_cut(line, ' ', &rest, NULL);
    vs_span target = vs_span_cut(rest, ' ', &version, NULL);
    if (!is_token(method))
        return BAD;
    int status = parse_version(version, out);
    if (status)
        return status;
    out->method = vs_http_method_of(method);
    return vs_http_target_parse(target, out);
}

static int parse_field(vs_span line, vs_http_head *out)
{
    bool colon;
    vs_span value;
    vs_span name = vs_span_cut(line, ':', &value, &colon);
    if (!colon || !is_token(name) || !is_field_value(value))
        return BAD;
    if (out->n_fields == VS_HTTP_FIELDS_MAX)
        return TOO_MANY_FIELDS;
    out->fields[out->n_fields++] = (vs_http_field){name, trim_ows(value)};
    return 0;
}

static size_t count_fields(const vs_http_head *h, const char *name, vs_span *first)
{
    size_t n = 0;
    for (size_t i = 0; i < h->n_fields; i++)
        if (vs_span_ieq(h->fields[i].name, vs_str(name)) && n++ == 0)
            *first = h->fields[i].value;
    return n;
}

vs_span vs_http_head_field(const vs_http_head *h, const char *name)
{
    vs_span v = {0};
    return count_fields(h, name, &v) ? v : (vs_span){0};
}

/* RFC 9112 6: how long the body is. */
static int read_framing(vs_http_head *out)
{
    vs_span length = {0}, coding = {0};
    size_t lengths = count_fields(out, "content-length", &length);
    size_t codings = count_fields(out, "transfer-encoding", &coding);
    if (lengths > 1 || codings > 1 || (lengths && codings) || (codings && out->http10))
        return BAD;
    if (codings) {
        out->chunked = true;
        return vs_span_ieq(coding, VS_LIT("chunked")) ? 0 : NOT_IMPLEMENTED;
    }
    bool ok =
        !lengths || (length.n <= 18 && vs_span_decimal(length, UINT64_MAX, &out->content_length));
    return ok ? 0 : BAD;
}

/* True when a comma-separated list of tokens in any field of that name holds `token`. */
static bool lists_token(const vs_http_head *h, const char *name, vs_span token)
{
    for (size_t i = 0; i < h->n_fields; i++) {
        if (!vs_span_ieq(h->fields[i].name, vs_str(name)))
            continue;
        vs_span rest = h->fields[i].value;
        while (rest.n)
            if (vs_span_ieq(trim_ows(vs_span_cut(rest, ',', &rest, NULL)), token))
                return true;
    }
    return false;
}

/* RFC 9112 3.2: one Host, but for HTTP/1.0; 3.2.2: an absolute target says better. */
static int settle_host(vs_http_head *out)
{
    vs_http_field *host = NULL;
    for (size_t i = 0; i < out->n_fields; i++) {
        if (!vs_span_ieq(out->fields[i].name, VS_LIT("host")))
            continue;
        if (host)
            return BAD;
        host = &out->fields[i];
    }
    if (!host && !out->http10)
        return BAD;
    if (!out->authority.p)
        return 0;
    if (!host && out->n_fields == VS_HTTP_FIELDS_MAX)
        return TOO_MANY_FIELDS;
    if (!host)
        host = &out->fields[out->n_fields++];
    *host = (vs_http_field){VS_LIT("host"), out->authority};
    return 0;
}

static int read_controls(vs_http_head *out)
{
    vs_span expect = {0};
    int status = settle_host(out);
    if (status)
        return status;
    if (count_fields(out, "expect", &expect)) {
        if (!vs_span_ieq(expect, VS_LIT("100-continue")))
            return EXPECTATION_FAILED;
        out->expect_continue = !out->http10;
    }
    out->close = lists_token(out, "connection", VS_LIT("close")) ||
                 (out->http10 && !lists_token(out, "connection", VS_LIT("keep-alive")));
    return read_framing(out);
}

int vs_http_head_parse(vs_span text, vs_http_head *out)
{
    /* Not the fields: they are 3 KB, and n_fields says how many count. */
    memset(out, 0, offsetof(vs_http_head, fields));
    vs_span line;
    if (!take_line(&text, &line))
        return BAD;
    int status = parse_request_line(line, out);
    while (!status && take_line(&text, &line)) {
        if (line.n == 0)
            return text.n ? BAD : read_controls(out);
        status = parse_field(line, out);
    }
    return status ? status : BAD;
}

/* ---- chunked coding ------------------------------------------------------------------------- */

enum {
    SIZE,
    EXTENSION,
    SIZE_LF,
    DATA,
    DATA_CR,
    DATA_LF,
    TRAILER,
    TRAILER_LINE,
    TRAILER_LF,
    END_LF
};

static int hex_value(uint8_t c)
{
    if (is_digit(c))
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int feed_size(vs_http_chunks *c, uint8_t b)
{
    int digit = hex_value(b);
    if (digit >= 0) {
        if (++c->digits > 8)
            return BAD;
        c->left = c->left << 4 | (uint64_t)digit;
        return 0;
    }
    if (c->digits == 0 || (b != '\r' && b != ';'))
        return BAD;
    c->state = b == ';' ? EXTENSION : SIZE_LF;
    return 0;
}

/* One byte outside of chunk data. */
static int feed_byte(vs_http_chunks *c, uint8_t b)
{
    bool cr = b == '\r', lf = b == '\n';
    switch (c->state) {
    case SIZE: return ++c->line > VS_HTTP_CHUNK_LINE_MAX ? BAD : feed_size(c, b);
    case EXTENSION:
        if (++c->line > VS_HTTP_CHUNK_LINE_MAX || lf || !(cr || is_field_value(vs_span_of(&b, 1))))
            return BAD;
        c->state = cr ? SIZE_LF : EXTENSION;
        return 0;
    case SIZE_LF:
        c->state = c->left ? DATA : TRAILER;
        c->line = 0;
        return lf ? 0 : BAD;
    case DATA_CR: c->state = DATA_LF; return cr ? 0 : BAD;
    case DATA_LF:
        c->state = SIZE;
        c->digits = 0;
        return lf ? 0 : BAD;
    case TRAILER:
    case TRAILER_LINE:
        if (++c->line > VS_HTTP_TRAILER_MAX || !(cr || is_field_value(vs_span_of(&b, 1))))
            return BAD;
        c->state = !cr ? TRAILER_LINE : c->state == TRAILER ? END_LF : TRAILER_LF;
        return 0;
    case TRAILER_LF: c->state = TRAILER; return lf ? 0 : BAD;
    default: /* END_LF */ c->done = lf; return lf ? 0 : BAD;
    }
}

int vs_http_chunks_feed(vs_http_chunks *c, uint8_t *buf, size_t *out, size_t *n, size_t limit)
{
    size_t at = *out;
    int status = 0;
    while (!status && !c->done && at < *n) {
        if (c->state != DATA) {
            status = feed_byte(c, buf[at++]);
            if (!status && c->state == DATA && c->left > limit - *out)
                status = 413;
            continue;
        }
        size_t take = *n - at < c->left ? *n - at : (size_t)c->left;
        memmove(buf + *out, buf + at, take);
        *out += take;
        at += take;
        c->left -= take;
        if (c->left == 0)
            c->state = DATA_CR;
    }
    memmove(buf + *out, buf + at, *n - at);
    *n -= at - *out;
    return status;
}
