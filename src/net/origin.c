/* SPDX-License-Identifier: Apache-2.0 */
#include "net/origin.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

enum { V4_OFFSET = 12, V4_BITS = 96 };

static const uint8_t v4_prefix[V4_OFFSET] = {[10] = 0xff, [11] = 0xff};

/* ---- addresses --------------------------------------------------------------------------------
 */

static vs_ip of_v4(const void *four)
{
    vs_ip ip;
    memcpy(ip.b, v4_prefix, V4_OFFSET);
    memcpy(ip.b + V4_OFFSET, four, 4);
    return ip;
}

static vs_ip of_v6(const void *sixteen)
{
    vs_ip ip;
    memcpy(ip.b, sixteen, sizeof ip.b);
    return ip;
}

static bool is_v4(vs_ip ip)
{
    return memcmp(ip.b, v4_prefix, V4_OFFSET) == 0;
}

vs_ip vs_ip_of(const struct sockaddr_storage *addr)
{
    if (addr->ss_family == AF_INET)
        return of_v4(&((const struct sockaddr_in *)addr)->sin_addr);
    if (addr->ss_family == AF_INET6)
        return of_v6(&((const struct sockaddr_in6 *)addr)->sin6_addr);
    return (vs_ip){0};
}

bool vs_ip_parse(vs_span text, vs_ip *out)
{
    char copy[INET6_ADDRSTRLEN];
    uint8_t raw[16];
    if (text.n == 0 || text.n >= sizeof copy || memchr(text.p, 0, text.n))
        return false;
    memcpy(copy, text.p, text.n);
    copy[text.n] = 0;
    if (inet_pton(AF_INET, copy, raw) == 1)
        *out = of_v4(raw);
    else if (inet_pton(AF_INET6, copy, raw) == 1)
        *out = of_v6(raw);
    else
        return false;
    return true;
}

bool vs_ip_is_loopback(vs_ip ip)
{
    static const vs_cidr loopback[] = {
        {{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127}}, 96 + 8},
        {{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}}, 128},
    };
    return vs_cidr_holds(loopback, VS_COUNT(loopback), ip);
}

bool vs_ip_known(vs_ip ip)
{
    static const vs_ip unknown;
    return memcmp(ip.b, unknown.b, sizeof ip.b) != 0;
}

const char *vs_ip_print(vs_ip ip, unsigned port, char out[VS_IP_TEXT])
{
    char host[INET6_ADDRSTRLEN] = "?";
    bool v4 = is_v4(ip);
    (void)inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? ip.b + V4_OFFSET : ip.b, host, sizeof host);
    if (port)
        (void)snprintf(out, VS_IP_TEXT, v4 ? "%s:%u" : "[%s]:%u", host, port);
    else
        (void)snprintf(out, VS_IP_TEXT, "%s", host);
    return out;
}

/* ---- ranges -----------------------------------------------------------------------------------
 */

static bool prefix_eq(const uint8_t *a, const uint8_t *b, unsigned bits)
{
    if (memcmp(a, b, bits / 8) != 0)
        return false;
    unsigned rest = bits % 8;
    return rest == 0 || ((a[bits / 8] ^ b[bits / 8]) >> (8 - rest)) == 0;
}

static bool rest_is_zero(const vs_cidr *c)
{
    for (unsigned i = c->bits; i < 128; i++)
        if (c->base.b[i / 8] & (0x80 >> i % 8))
            return false;
    return true;
}

vs_code vs_cidr_parse(const char *text, vs_cidr *out, vs_error *err)
{
    vs_span prefix;
    bool has_prefix;
    vs_span host = vs_span_cut(vs_str(text), '/', &prefix, &has_prefix);
    if (!vs_ip_parse(host, &out->base))
        return vs_fail(err, VS_E_INVALID, "\"%.60s\" is not an IP address or range", text);
    unsigned least = is_v4(out->base) ? V4_BITS : 0;
    uint64_t bits = 128 - least;
    if (has_prefix &&
        ((prefix.n > 1 && prefix.p[0] == '0') || !vs_span_decimal(prefix, 128 - least, &bits)))
        return vs_fail(err, VS_E_INVALID, "\"%.60s\": the prefix length is not 0 to %u", text,
                       128 - least);
    out->bits = (uint8_t)(least + bits);
    if (!rest_is_zero(out))
        return vs_fail(err, VS_E_INVALID, "\"%.60s\" has bits behind its prefix", text);
    return VS_OK;
}

bool vs_cidr_holds(const vs_cidr *list, size_t n, vs_ip ip)
{
    for (size_t i = 0; i < n; i++)
        if (prefix_eq(list[i].base.b, ip.b, list[i].bits))
            return true;
    return false;
}

/* ---- PROXY protocol ---------------------------------------------------------------------------
 */

enum {
    SIGNATURE = 12,
    VERSION_LOCAL = 0x20,
    VERSION_PROXY = 0x21,
    UNSPEC = 0x00,
    TCP4 = 0x11,
    TCP6 = 0x21,
    UNIX_STREAM = 0x31,
    TLV_HEAD = 3,
    TLV_CRC32C = 0x03,
};

static const uint8_t signature[SIGNATURE] = {0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d,
                                             0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a};

static unsigned be16(const uint8_t *p)
{
    return (unsigned)p[0] << 8 | p[1];
}

size_t vs_proxy_size(vs_span in)
{
    size_t seen = in.n < SIGNATURE ? in.n : SIGNATURE;
    if (seen && memcmp(in.p, signature, seen) != 0)
        return 0;
    if (in.n < VS_PROXY_FIXED)
        return VS_PROXY_FIXED;
    size_t n = VS_PROXY_FIXED + be16(in.p + 14);
    return n <= VS_PROXY_MAX ? n : 0;
}

/* CRC-32C (RFC 3720, B.4) of the header with the four bytes at `hole` taken as 0. */
static uint32_t crc32c(vs_span in, size_t hole)
{
    uint32_t crc = 0xffffffff;
    for (size_t i = 0; i < in.n; i++) {
        crc ^= i >= hole && i < hole + 4 ? 0 : in.p[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
    }
    return crc ^ 0xffffffff;
}

static vs_code check_tlvs(vs_span in, size_t at, vs_error *err)
{
    while (at < in.n) {
        if (in.n - at < TLV_HEAD || in.n - at - TLV_HEAD < be16(in.p + at + 1))
            return vs_fail(err, VS_E_PARSE, "PROXY header: a TLV runs over the end");
        size_t n = be16(in.p + at + 1);
        if (in.p[at] == TLV_CRC32C) {
            const uint8_t *v = in.p + at + TLV_HEAD;
            uint32_t sent = n == 4 ? (uint32_t)be16(v) << 16 | be16(v + 2) : 0;
            if (n != 4 || sent != crc32c(in, at + TLV_HEAD))
                return vs_fail(err, VS_E_PARSE, "PROXY header: the checksum is wrong");
        }
        at += TLV_HEAD + n;
    }
    return VS_OK;
}

vs_code vs_proxy_parse(vs_span in, vs_proxy_head *out, vs_error *err)
{
    *out = (vs_proxy_head){0};
    if (in.n < VS_PROXY_FIXED || vs_proxy_size(in) != in.n)
        return vs_fail(err, VS_E_PARSE, "no PROXY header");
    uint8_t command = in.p[12], family = in.p[13];
    if (command == VERSION_LOCAL)
        return VS_OK; /* the rest is to be ignored */
    if (command != VERSION_PROXY)
        return vs_fail(err, VS_E_PARSE, "PROXY header: version and command 0x%02x", command);
    static const struct {
        uint8_t family, addresses, ip;
    } known[] = {{UNSPEC, 0, 0}, {TCP4, 12, 4}, {TCP6, 36, 16}, {UNIX_STREAM, 216, 0}};
    size_t k = 0;
    while (k < VS_COUNT(known) && known[k].family != family)
        k++;
    if (k == VS_COUNT(known))
        return vs_fail(err, VS_E_PARSE, "PROXY header: address family 0x%02x", family);
    size_t need = VS_PROXY_FIXED + (size_t)known[k].addresses;
    if (in.n < need)
        return vs_fail(err, VS_E_PARSE, "PROXY header: too short for its addresses");
    if (family != UNSPEC) /* whose contents are to be ignored */
        VS_TRY(check_tlvs(in, need, err));
    if (!known[k].ip)
        return VS_OK;
    const uint8_t *addresses = in.p + VS_PROXY_FIXED;
    out->has_ip = true;
    out->ip = family == TCP4 ? of_v4(addresses) : of_v6(addresses);
    out->port = be16(addresses + (size_t)known[k].ip * 2);
    return VS_OK;
}

/* ---- headers ----------------------------------------------------------------------------------
 */

static bool is_trusted(const vs_forwarded *f, vs_ip ip)
{
    return vs_cidr_holds(f->trusted, f->n_trusted, ip);
}

static bool port_ok(vs_span s)
{
    if (s.n == 0 || s.n > 5)
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
    return true;
}

/* RFC 7239 6.3: "_" 1*(ALPHA / DIGIT / "." / "_" / "-") */
static bool is_obfuscated(vs_span s)
{
    if (s.n < 2 || s.p[0] != '_')
        return false;
    for (size_t i = 1; i < s.n; i++) {
        uint8_t c = s.p[i], low = c | 0x20;
        if (!(low >= 'a' && low <= 'z') && !(c >= '0' && c <= '9') && !strchr("._-", c))
            return false;
    }
    return true;
}

/* A node: address, "[v6]", each with or without a port; "unknown" and names tell no address. */
static bool node_of(vs_span s, bool *has_ip, vs_ip *ip)
{
    vs_span host = s, port = VS_LIT("0");
    bool brackets = s.n && s.p[0] == '[', found = false;
    if (brackets) {
        host = vs_span_cut(vs_span_from(s, 1), ']', &port, &found);
        if (!found || !memchr(host.p, ':', host.n))
            return false;
        if (port.n && port.p[0] != ':')
            return false;
        port = port.n ? vs_span_from(port, 1) : VS_LIT("0");
    } else {
        host = vs_span_cut(s, ':', &port, &found);
        if (!found)
            port = VS_LIT("0");
    }
    *has_ip = vs_ip_parse(host, ip);
    bool nameless = vs_span_ieq(host, VS_LIT("unknown")) || is_obfuscated(host);
    return (*has_ip || (nameless && !brackets)) && (port_ok(port) || is_obfuscated(port));
}

/* One step of the walk from the server outwards; false when it ends. */
static bool step(const vs_forwarded *f, bool has_ip, vs_ip ip, vs_ip *client)
{
    if (!has_ip)
        return false;
    *client = ip;
    return is_trusted(f, ip);
}

/* X-Forwarded-For has no grammar of its own; IPv6 comes bare too. */
static vs_code x_element(const vs_forwarded *f, vs_span text, bool *on, vs_ip *client,
                         vs_error *err)
{
    vs_ip ip = {0};
    bool has_ip = vs_ip_parse(text, &ip);
    if (!has_ip && !node_of(text, &has_ip, &ip))
        return vs_fail(err, VS_E_PARSE, "X-Forwarded-For: an entry is not an address");
    *on = step(f, has_ip, ip, client);
    return VS_OK;
}

vs_code vs_x_forwarded_client(const vs_forwarded *f, vs_ip *client, vs_error *err)
{
    bool on = true;
    for (size_t i = f->n; on && i-- > 0;) {
        vs_span rest = f->fields[i];
        while (on) {
            size_t comma = rest.n;
            while (comma > 0 && rest.p[comma - 1] != ',')
                comma--;
            VS_TRY(x_element(f, vs_span_trim(vs_span_from(rest, comma)), &on, client, err));
            if (comma == 0)
                break;
            rest = vs_span_head(rest, comma - 1);
        }
    }
    return VS_OK;
}

/* Forwarded has quoted strings, which can be read from the left only: the list is read whole and
 * then walked. */
enum { NODES_MAX = 64 };

typedef struct node {
    bool has_ip;
    vs_ip ip;
} node;

typedef struct reader {
    vs_span in;
    size_t at;
    node nodes[NODES_MAX];
    size_t n;
} reader;

static bool is_token(uint8_t c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
           (c && strchr("!#$%&'*+-.^_`|~", c));
}

static void skip_space(reader *r)
{
    while (r->at < r->in.n && (r->in.p[r->at] == ' ' || r->in.p[r->at] == '\t'))
        r->at++;
}

static vs_span token(reader *r)
{
    size_t start = r->at;
    while (r->at < r->in.n && is_token(r->in.p[r->at]))
        r->at++;
    return vs_span_of(r->in.p + start, r->at - start);
}

/* The value into `out`, unquoted; false when malformed or longer than any address. */
static bool value_of(reader *r, char out[VS_IP_TEXT], size_t *n, bool *fits)
{
    *n = 0;
    *fits = true;
    if (r->at < r->in.n && r->in.p[r->at] != '"') {
        vs_span t = token(r);
        *fits = t.n < VS_IP_TEXT;
        *n = *fits ? t.n : 0;
        memcpy(out, t.p, *n);
        return t.n > 0;
    }
    for (r->at++; r->at < r->in.n; r->at++) {
        uint8_t c = r->in.p[r->at];
        if (c == '"') {
            r->at++;
            return true;
        }
        if (c == '\\' && ++r->at < r->in.n)
            c = r->in.p[r->at];
        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return false;
        *fits = *fits && *n + 1 < VS_IP_TEXT;
        if (*fits)
            out[(*n)++] = (char)c;
    }
    return false;
}

/* forwarded-pair; a repeated "for" is refused (RFC 7239 4: once per element). */
static bool pair(reader *r, node *to, bool *has_for)
{
    char text[VS_IP_TEXT];
    size_t n;
    bool fits;
    vs_span name = token(r);
    if (name.n == 0 || r->at >= r->in.n || r->in.p[r->at] != '=')
        return false;
    r->at++;
    if (!value_of(r, text, &n, &fits))
        return false;
    if (!vs_span_ieq(name, VS_LIT("for")))
        return true;
    if (*has_for || !fits)
        return false;
    *has_for = true;
    vs_span s = vs_span_of(text, n);
    if (s.n && s.p[0] != '[' && memchr(s.p, ':', s.n) != memrchr(s.p, ':', s.n))
        return false; /* IPv6 without brackets */
    return node_of(s, &to->has_ip, &to->ip);
}

static bool element(reader *r)
{
    node one = {0};
    bool has_for = false;
    for (;;) {
        if (!pair(r, &one, &has_for))
            return false;
        skip_space(r);
        if (r->at >= r->in.n || r->in.p[r->at] != ';')
            break;
        r->at++;
        skip_space(r);
    }
    if (r->n == NODES_MAX)
        return false;
    r->nodes[r->n++] = one;
    return r->at == r->in.n || r->in.p[r->at] == ',';
}

static bool field(reader *r)
{
    r->at = 0;
    for (;;) {
        skip_space(r);
        if (!element(r))
            return false;
        if (r->at == r->in.n)
            return true;
        r->at++; /* the comma */
    }
}

vs_code vs_forwarded_client(const vs_forwarded *f, vs_ip *client, vs_error *err)
{
    reader r = {.n = 0};
    for (size_t i = 0; i < f->n; i++) {
        r.in = f->fields[i];
        if (!field(&r))
            return vs_fail(err, VS_E_PARSE, "Forwarded: malformed at byte %zu of field %zu", r.at,
                           i + 1);
    }
    for (size_t i = r.n; i-- > 0;)
        if (!step(f, r.nodes[i].has_ip, r.nodes[i].ip, client))
            break;
    return VS_OK;
}
