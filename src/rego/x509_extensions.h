/* SPDX-License-Identifier: Apache-2.0 */
/* The extensions of a certificate as the members of Go's crypto/x509.Certificate. */
#ifndef VS_REGO_X509_EXTENSIONS_H
#define VS_REGO_X509_EXTENSIONS_H

#include <openssl/x509v3.h>

#include "value/value.h"

vs_span x509_octets(const ASN1_STRING *s);
/* [1, 2, 840, ...] */
vs_val x509_oid(vs_arena *a, const ASN1_OBJECT *o);
/* The array, or null when it is empty. */
vs_val x509_list(vs_vec *v);

/* Id, Critical and Value of each; null when there are none. */
vs_val x509_extensions(vs_arena *a, const STACK_OF(X509_EXTENSION) * list);
/* DNSNames, EmailAddresses, IPAddresses, URIs. */
void x509_put_alternative_names(vs_arena *a, vs_obj *o, const GENERAL_NAMES *names);
/* The URIs among the alternative names as texts. */
vs_val x509_uri_strings(vs_arena *a, X509 *cert);
/* All members that come from extensions but the key identifiers, KeyUsage and BasicConstraints. */
void x509_put_extensions(vs_arena *a, vs_obj *o, X509 *cert);

#endif
