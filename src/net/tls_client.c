/* SPDX-License-Identifier: Apache-2.0 */
/* The names in a client certificate that was verified. */
#include <arpa/inet.h>
#include <openssl/x509v3.h>

#include "net/tls.h"

enum { SANS_MAX = 64 };

static void free_names(GENERAL_NAMES **names)
{
    GENERAL_NAMES_free(*names);
}

static void free_bio(BIO **bio)
{
    (void)BIO_free(*bio);
}

static bool read_subject(const X509 *cert, vs_arena *a, vs_span *out)
{
    VS_CLEANUP(free_bio) BIO *bio = BIO_new(BIO_s_mem());
    char *text = NULL;
    if (!bio || X509_NAME_print_ex(bio, X509_get_subject_name(cert), 0, XN_FLAG_RFC2253) < 0)
        return false;
    long n = BIO_get_mem_data(bio, &text);
    *out = vs_dup(a, vs_span_of(text, n > 0 ? (size_t)n : 0));
    return vs_arena_ok(a);
}

static vs_span text_of(const char *kind, const ASN1_STRING *s, vs_arena *a)
{
    vs_span v = vs_span_of(ASN1_STRING_get0_data(s), (size_t)ASN1_STRING_length(s));
    /* IA5String: a NUL inside would make two readers see two names. */
    for (size_t i = 0; i < v.n; i++)
        if (v.p[i] < 0x21 || v.p[i] > 0x7e)
            return (vs_span){0};
    return vs_str(vs_sprintf(a, "%s:%.*s", kind, VS_FMT(v)));
}

static vs_span address_of(const ASN1_OCTET_STRING *s, vs_arena *a)
{
    char text[INET6_ADDRSTRLEN];
    int n = ASN1_STRING_length(s);
    if ((n != 4 && n != 16) ||
        !inet_ntop(n == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(s), text, sizeof text))
        return (vs_span){0};
    return vs_str(vs_sprintf(a, "IP:%s", text));
}

/* Empty for kinds that nobody asks for. */
static vs_span name_of(const GENERAL_NAME *name, vs_arena *a)
{
    switch (name->type) {
    case GEN_DNS: return text_of("DNS", name->d.dNSName, a);
    case GEN_URI: return text_of("URI", name->d.uniformResourceIdentifier, a);
    case GEN_EMAIL: return text_of("email", name->d.rfc822Name, a);
    case GEN_IPADD: return address_of(name->d.iPAddress, a);
    default: return (vs_span){0};
    }
}

/* Malformed names are left out: a name that is not there proves nothing. */
static bool read_sans(const X509 *cert, vs_arena *a, vs_tls_peer *out)
{
    int state = 0;
    VS_CLEANUP(free_names)
    GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, &state, NULL);
    if (!names)
        return state == -1; /* -1: there is none */
    int n = sk_GENERAL_NAME_num(names);
    vs_span *sans = n <= SANS_MAX ? vs_alloc_array(a, (size_t)n, sizeof *sans) : NULL;
    if (!sans)
        return false;
    for (int i = 0; i < n; i++) {
        vs_span name = name_of(sk_GENERAL_NAME_value(names, i), a);
        if (name.n)
            sans[out->n_sans++] = name;
    }
    out->sans = sans;
    return vs_arena_ok(a);
}

bool vs_tls_client(const SSL *ssl, vs_arena *a, vs_tls_peer *out)
{
    *out = (vs_tls_peer){0};
    const X509 *cert = SSL_get0_peer_certificate(ssl);
    if (!cert)
        return true;
    return SSL_get_verify_result(ssl) == X509_V_OK && read_subject(cert, a, &out->subject) &&
           read_sans(cert, a, out);
}
