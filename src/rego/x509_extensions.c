/* SPDX-License-Identifier: Apache-2.0 */
#include "rego/x509_extensions.h"

#include <arpa/inet.h>

#include "rego/x509_json.h"
#include "value/number.h"

vs_span x509_octets(const ASN1_STRING *s)
{
    return s ? vs_span_of(ASN1_STRING_get0_data(s), (size_t)ASN1_STRING_length(s))
             : vs_span_of(NULL, 0);
}

static vs_val text_of(vs_arena *a, const ASN1_STRING *s)
{
    return vs_string_dup(a, x509_octets(s));
}

static vs_val dotted(vs_arena *a, const ASN1_OBJECT *o)
{
    char text[256] = "";
    (void)OBJ_obj2txt(text, sizeof text, o, 1);
    return vs_string_dup(a, vs_str(text));
}

vs_val x509_oid(vs_arena *a, const ASN1_OBJECT *o)
{
    vs_vec arcs = {.a = a};
    vs_span rest = vs_text(dotted(a, o));
    for (bool more = rest.n > 0; more;)
        vs_vec_add(&arcs, vs_num_parse(a, vs_span_cut(rest, '.', &rest, &more), NULL));
    return vs_vec_end_array(&arcs);
}

vs_val x509_list(vs_vec *v)
{
    return v->n ? vs_vec_end_array(v) : vs_null();
}

vs_val x509_extensions(vs_arena *a, const STACK_OF(X509_EXTENSION) * list)
{
    vs_vec all = {.a = a};
    for (int i = 0; list && i < sk_X509_EXTENSION_num(list); i++) {
        X509_EXTENSION *x = sk_X509_EXTENSION_value(list, i);
        vs_obj o = {.a = a};
        vs_obj_put(&o, "Id", x509_oid(a, X509_EXTENSION_get_object(x)));
        vs_obj_put(&o, "Critical", vs_bool(X509_EXTENSION_get_critical(x) > 0));
        vs_obj_put(&o, "Value", x509_base64(a, x509_octets(X509_EXTENSION_get_data(x))));
        vs_vec_add(&all, vs_obj_end(&o, VS_DUP_LAST, NULL));
    }
    return x509_list(&all);
}

/* ---- alternative names -------------------------------------------------------------------------
 */

static vs_val address(vs_arena *a, vs_span bytes)
{
    char text[INET6_ADDRSTRLEN];
    if (bytes.n != 4 && bytes.n != 16)
        return x509_base64(a, bytes);
    (void)inet_ntop(bytes.n == 4 ? AF_INET : AF_INET6, bytes.p, text, sizeof text);
    return vs_cstring(vs_sprintf(a, "%s", text));
}

/* net/url.URL of the plain form scheme://user@host/path. Userinfo has no public members there. */
static vs_val url(vs_arena *a, vs_span s)
{
    bool found;
    vs_obj o = {.a = a};
    vs_val user = vs_null();
    vs_span fragment, query, rest, scheme, host = {NULL, 0}, opaque = {NULL, 0};
    s = vs_span_cut(s, '#', &fragment, &found);
    s = vs_span_cut(s, '?', &query, &found);
    scheme = vs_span_cut(s, ':', &rest, &found);
    if (vs_span_starts(rest, VS_LIT("//"))) {
        vs_span path;
        rest = vs_span_from(rest, 2);
        host = vs_span_cut(rest, '/', &path, &found);
        rest = vs_span_from(rest, host.n);
        for (size_t i = host.n; i > 0 && user.kind == VS_NULL; i--)
            if (host.p[i - 1] == '@') {
                host = vs_span_from(host, i);
                user = vs_empty(VS_OBJECT);
            }
    } else if (rest.n && rest.p[0] != '/') {
        opaque = rest;
        rest = vs_span_head(rest, 0);
    }
    const struct {
        const char *name;
        vs_span text;
    } members[] = {{"Scheme", scheme}, {"Opaque", opaque},  {"Host", host},
                   {"Path", rest},     {"RawQuery", query}, {"Fragment", fragment},
                   {"RawPath", {0}},   {"RawFragment", {0}}};
    for (size_t i = 0; i < VS_COUNT(members); i++)
        vs_obj_put(&o, members[i].name, vs_string_dup(a, members[i].text));
    vs_obj_put(&o, "User", user);
    vs_obj_put(&o, "ForceQuery", vs_bool(false));
    vs_obj_put(&o, "OmitHost", vs_bool(false));
    return vs_obj_end(&o, VS_DUP_LAST, NULL);
}

void x509_put_alternative_names(vs_arena *a, vs_obj *o, const GENERAL_NAMES *names)
{
    vs_vec dns = {.a = a}, email = {.a = a}, ip = {.a = a}, uri = {.a = a};
    for (int i = 0; names && i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *n = sk_GENERAL_NAME_value(names, i);
        switch (n->type) {
        case GEN_DNS: vs_vec_add(&dns, text_of(a, n->d.dNSName)); break;
        case GEN_EMAIL: vs_vec_add(&email, text_of(a, n->d.rfc822Name)); break;
        case GEN_IPADD: vs_vec_add(&ip, address(a, x509_octets(n->d.iPAddress))); break;
        case GEN_URI: vs_vec_add(&uri, url(a, x509_octets(n->d.uniformResourceIdentifier))); break;
        default: break;
        }
    }
    vs_obj_put(o, "DNSNames", x509_list(&dns));
    vs_obj_put(o, "EmailAddresses", x509_list(&email));
    vs_obj_put(o, "IPAddresses", x509_list(&ip));
    vs_obj_put(o, "URIs", x509_list(&uri));
}

/* ---- usages and policies ------------------------------------------------------------------------
 */

/* crypto/x509.ExtKeyUsage */
static void put_extended_usage(vs_arena *a, vs_obj *o, X509 *cert)
{
    static const char *const oids[] = {"2.5.29.37.0",
                                       "1.3.6.1.5.5.7.3.1",
                                       "1.3.6.1.5.5.7.3.2",
                                       "1.3.6.1.5.5.7.3.3",
                                       "1.3.6.1.5.5.7.3.4",
                                       "1.3.6.1.5.5.7.3.5",
                                       "1.3.6.1.5.5.7.3.6",
                                       "1.3.6.1.5.5.7.3.7",
                                       "1.3.6.1.5.5.7.3.8",
                                       "1.3.6.1.5.5.7.3.9",
                                       "1.3.6.1.4.1.311.10.3.3",
                                       "2.16.840.1.113730.4.1",
                                       "1.3.6.1.4.1.311.2.1.22",
                                       "1.3.6.1.4.1.311.61.1.1"};
    vs_vec known = {.a = a}, unknown = {.a = a};
    EXTENDED_KEY_USAGE *list = X509_get_ext_d2i(cert, NID_ext_key_usage, NULL, NULL);
    for (int i = 0; list && i < sk_ASN1_OBJECT_num(list); i++) {
        const ASN1_OBJECT *use = sk_ASN1_OBJECT_value(list, i);
        vs_span text = vs_text(dotted(a, use));
        unsigned k = 0;
        while (k < VS_COUNT(oids) && !vs_span_is(text, oids[k]))
            k++;
        if (k < VS_COUNT(oids))
            vs_vec_add(&known, vs_int(k));
        else
            vs_vec_add(&unknown, x509_oid(a, use));
    }
    EXTENDED_KEY_USAGE_free(list);
    vs_obj_put(o, "ExtKeyUsage", x509_list(&known));
    vs_obj_put(o, "UnknownExtKeyUsage", x509_list(&unknown));
}

/* A number that may be 0 has a second member that tells 0 from absence. */
static void put_skip(vs_obj *o, const char *name, const char *name_zero, const ASN1_INTEGER *n)
{
    int64_t v = n ? ASN1_INTEGER_get(n) : 0;
    vs_obj_put(o, name, vs_int(v));
    vs_obj_put(o, name_zero, vs_bool(n && v == 0));
}

static void put_policies(vs_arena *a, vs_obj *o, X509 *cert)
{
    vs_vec ids = {.a = a}, texts = {.a = a}, mapped = {.a = a};
    CERTIFICATEPOLICIES *list = X509_get_ext_d2i(cert, NID_certificate_policies, NULL, NULL);
    POLICY_CONSTRAINTS *limits = X509_get_ext_d2i(cert, NID_policy_constraints, NULL, NULL);
    POLICY_MAPPINGS *mappings = X509_get_ext_d2i(cert, NID_policy_mappings, NULL, NULL);
    ASN1_INTEGER *any = X509_get_ext_d2i(cert, NID_inhibit_any_policy, NULL, NULL);
    for (int i = 0; list && i < sk_POLICYINFO_num(list); i++) {
        const POLICYINFO *p = sk_POLICYINFO_value(list, i);
        vs_vec_add(&ids, x509_oid(a, p->policyid));
        vs_vec_add(&texts, dotted(a, p->policyid));
    }
    for (int i = 0; mappings && i < sk_POLICY_MAPPING_num(mappings); i++) {
        const POLICY_MAPPING *m = sk_POLICY_MAPPING_value(mappings, i);
        vs_obj pair = {.a = a};
        vs_obj_put(&pair, "IssuerDomainPolicy", dotted(a, m->issuerDomainPolicy));
        vs_obj_put(&pair, "SubjectDomainPolicy", dotted(a, m->subjectDomainPolicy));
        vs_vec_add(&mapped, vs_obj_end(&pair, VS_DUP_LAST, NULL));
    }
    vs_obj_put(o, "PolicyIdentifiers", x509_list(&ids));
    vs_obj_put(o, "Policies", x509_list(&texts));
    vs_obj_put(o, "PolicyMappings", x509_list(&mapped));
    put_skip(o, "InhibitAnyPolicy", "InhibitAnyPolicyZero", any);
    put_skip(o, "InhibitPolicyMapping", "InhibitPolicyMappingZero",
             limits ? limits->inhibitPolicyMapping : NULL);
    put_skip(o, "RequireExplicitPolicy", "RequireExplicitPolicyZero",
             limits ? limits->requireExplicitPolicy : NULL);
    CERTIFICATEPOLICIES_free(list);
    POLICY_CONSTRAINTS_free(limits);
    sk_POLICY_MAPPING_pop_free(mappings, POLICY_MAPPING_free);
    ASN1_INTEGER_free(any);
}

/* ---- places ------------------------------------------------------------------------------------
 */

static void add_uri(vs_arena *a, vs_vec *v, const GENERAL_NAME *n)
{
    if (n->type == GEN_URI)
        vs_vec_add(v, text_of(a, n->d.uniformResourceIdentifier));
}

static void put_places(vs_arena *a, vs_obj *o, X509 *cert)
{
    vs_vec ocsp = {.a = a}, issuers = {.a = a}, lists = {.a = a};
    AUTHORITY_INFO_ACCESS *info = X509_get_ext_d2i(cert, NID_info_access, NULL, NULL);
    CRL_DIST_POINTS *points = X509_get_ext_d2i(cert, NID_crl_distribution_points, NULL, NULL);
    for (int i = 0; info && i < sk_ACCESS_DESCRIPTION_num(info); i++) {
        const ACCESS_DESCRIPTION *d = sk_ACCESS_DESCRIPTION_value(info, i);
        int method = OBJ_obj2nid(d->method);
        if (method == NID_ad_OCSP)
            add_uri(a, &ocsp, d->location);
        else if (method == NID_ad_ca_issuers)
            add_uri(a, &issuers, d->location);
    }
    for (int i = 0; points && i < sk_DIST_POINT_num(points); i++) {
        const DIST_POINT *p = sk_DIST_POINT_value(points, i);
        const GENERAL_NAMES *names =
            p->distpoint && p->distpoint->type == 0 ? p->distpoint->name.fullname : NULL;
        for (int k = 0; names && k < sk_GENERAL_NAME_num(names); k++)
            add_uri(a, &lists, sk_GENERAL_NAME_value(names, k));
    }
    vs_obj_put(o, "OCSPServer", x509_list(&ocsp));
    vs_obj_put(o, "IssuingCertificateURL", x509_list(&issuers));
    vs_obj_put(o, "CRLDistributionPoints", x509_list(&lists));
    AUTHORITY_INFO_ACCESS_free(info);
    CRL_DIST_POINTS_free(points);
}

vs_val x509_uri_strings(vs_arena *a, X509 *cert)
{
    vs_vec all = {.a = a};
    GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
    for (int i = 0; names && i < sk_GENERAL_NAME_num(names); i++)
        add_uri(a, &all, sk_GENERAL_NAME_value(names, i));
    GENERAL_NAMES_free(names);
    return x509_list(&all);
}

/* ---- name constraints ---------------------------------------------------------------------------
 */

/* net.IPNet: the address and the mask, one behind the other. */
static vs_val ip_range(vs_arena *a, vs_span bytes)
{
    vs_obj o = {.a = a};
    vs_obj_put(&o, "IP", address(a, vs_span_head(bytes, bytes.n / 2)));
    vs_obj_put(&o, "Mask", x509_base64(a, vs_span_from(bytes, bytes.n / 2)));
    return vs_obj_end(&o, VS_DUP_LAST, NULL);
}

static void put_subtrees(vs_arena *a, vs_obj *o, const char *prefix,
                         const STACK_OF(GENERAL_SUBTREE) * trees)
{
    vs_vec dns = {.a = a}, ip = {.a = a}, email = {.a = a}, uri = {.a = a};
    for (int i = 0; trees && i < sk_GENERAL_SUBTREE_num(trees); i++) {
        const GENERAL_NAME *n = sk_GENERAL_SUBTREE_value(trees, i)->base;
        switch (n->type) {
        case GEN_DNS: vs_vec_add(&dns, text_of(a, n->d.dNSName)); break;
        case GEN_EMAIL: vs_vec_add(&email, text_of(a, n->d.rfc822Name)); break;
        case GEN_IPADD: vs_vec_add(&ip, ip_range(a, x509_octets(n->d.iPAddress))); break;
        case GEN_URI: vs_vec_add(&uri, text_of(a, n->d.uniformResourceIdentifier)); break;
        default: break;
        }
    }
    const struct {
        const char *name;
        vs_vec *list;
    } members[] = {
        {"DNSDomains", &dns}, {"IPRanges", &ip}, {"EmailAddresses", &email}, {"URIDomains", &uri}};
    for (size_t i = 0; i < VS_COUNT(members); i++) {
        const char *name = vs_sprintf(a, "%s%s", prefix, members[i].name);
        if (name)
            vs_obj_put(o, name, x509_list(members[i].list));
    }
}

static void put_name_constraints(vs_arena *a, vs_obj *o, X509 *cert)
{
    int critical = 0;
    NAME_CONSTRAINTS *nc = X509_get_ext_d2i(cert, NID_name_constraints, &critical, NULL);
    put_subtrees(a, o, "Permitted", nc ? nc->permittedSubtrees : NULL);
    put_subtrees(a, o, "Excluded", nc ? nc->excludedSubtrees : NULL);
    vs_obj_put(o, "PermittedDNSDomainsCritical", vs_bool(nc && critical > 0));
    NAME_CONSTRAINTS_free(nc);
}

/* Critical extensions that crypto/x509 does not read. */
static vs_val unhandled(vs_arena *a, X509 *cert)
{
    static const int handled[] = {
        NID_key_usage,          NID_basic_constraints, NID_subject_alt_name,
        NID_name_constraints,   NID_ext_key_usage,     NID_certificate_policies,
        NID_policy_constraints, NID_policy_mappings,   NID_inhibit_any_policy};
    vs_vec all = {.a = a};
    for (int i = 0; i < X509_get_ext_count(cert); i++) {
        X509_EXTENSION *x = X509_get_ext(cert, i);
        int nid = OBJ_obj2nid(X509_EXTENSION_get_object(x));
        bool known = X509_EXTENSION_get_critical(x) <= 0;
        for (size_t k = 0; k < VS_COUNT(handled); k++)
            known |= nid == handled[k];
        if (!known)
            vs_vec_add(&all, x509_oid(a, X509_EXTENSION_get_object(x)));
    }
    return x509_list(&all);
}

void x509_put_extensions(vs_arena *a, vs_obj *o, X509 *cert)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
    vs_obj_put(o, "Extensions", x509_extensions(a, X509_get0_extensions(cert)));
    vs_obj_put(o, "UnhandledCriticalExtensions", unhandled(a, cert));
    x509_put_alternative_names(a, o, names);
    put_extended_usage(a, o, cert);
    put_policies(a, o, cert);
    put_places(a, o, cert);
    put_name_constraints(a, o, cert);
    GENERAL_NAMES_free(names);
}
