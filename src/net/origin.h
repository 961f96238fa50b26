/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a connection or a request really comes from when proxies stand in between: addresses, CIDR
 * ranges, the PROXY protocol version 2, RFC 7239 Forwarded and X-Forwarded-For. No sockets, no
 * allocation. What a proxy that is not trusted says is never looked at by the callers.
 */
#ifndef VS_NET_ORIGIN_H
#define VS_NET_ORIGIN_H

#include "base/error.h"

/* IPv6, or IPv4 as ::ffff:a.b.c.d. All zero = not known. */
typedef struct vs_ip {
    uint8_t b[16];
} vs_ip;

typedef struct vs_cidr {
    vs_ip base;
    uint8_t bits; /* of 128: IPv4 prefixes are 96 longer */
} vs_cidr;

enum { VS_IP_TEXT = 64 };

struct sockaddr_storage;
/* Not known when it is neither IPv4 nor IPv6. */
vs_ip vs_ip_of(const struct sockaddr_storage *addr);
/* "192.0.2.1" or "2001:db8::1", nothing around it, no zone. */
VS_MUST bool vs_ip_parse(vs_span text, vs_ip *out);
bool vs_ip_known(vs_ip ip);
/* 127.0.0.0/8 or ::1. */
bool vs_ip_is_loopback(vs_ip ip);
/* "192.0.2.1:80", "[2001:db8::1]:80"; port 0 leaves the port out. Returns out. */
const char *vs_ip_print(vs_ip ip, unsigned port, char out[VS_IP_TEXT]);

/* "10.0.0.0/8", "fd00::/8", or one address. Bits behind the prefix must be 0. */
VS_MUST vs_code vs_cidr_parse(const char *text, vs_cidr *out, vs_error *err);
bool vs_cidr_holds(const vs_cidr *list, size_t n, vs_ip ip);

/* ---- PROXY protocol, version 2 (haproxy's proxy-protocol.txt, 2.2) -----------------------------
 */

enum {
    VS_PROXY_FIXED = 16, /* signature, version and command, family, length */
    VS_PROXY_MAX = 2048, /* with addresses and TLVs; more is refused */
};

typedef struct vs_proxy_head {
    bool has_ip; /* false: LOCAL, or a family without addresses: the connection's own counts */
    vs_ip ip;
    unsigned port;
} vs_proxy_head;

/* Bytes of the whole header as far as `in` tells: VS_PROXY_FIXED before the fixed part is complete;
 * 0 = this is no header, or too long a one. */
size_t vs_proxy_size(vs_span in);
/* A whole header (in.n == vs_proxy_size(in)). VS_E_PARSE. */
VS_MUST vs_code vs_proxy_parse(vs_span in, vs_proxy_head *out, vs_error *err);

/* ---- headers -----------------------------------------------------------------------------------
 */

/* Walks the list of nodes of all header fields of one name from the last one towards the first, as
 * long as the nodes are trusted proxies: the first one that is not is the client. *client stays as
 * it is when no node tells more (unknown, obfuscated, only proxies: then the farthest proxy).
 * VS_E_PARSE when what was walked over, or for Forwarded any field, is malformed. */
typedef struct vs_forwarded {
    const vs_span *fields; /* values of the fields, in order */
    size_t n;
    const vs_cidr *trusted;
    size_t n_trusted;
} vs_forwarded;
VS_MUST vs_code vs_forwarded_client(const vs_forwarded *f, vs_ip *client, vs_error *err);
VS_MUST vs_code vs_x_forwarded_client(const vs_forwarded *f, vs_ip *client, vs_error *err);

#endif
