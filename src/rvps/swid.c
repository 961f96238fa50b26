/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages of type "swid": an XML SWID tag with TCG's RIM attributes (attestation-service.md 8.2).
 *
 * The signature that such a tag may carry (XML-DSig, enveloped) is not verified, so a tag always
 * counts as unsigned. Read with expat, event by event: no tree is built, nothing is ever fetched,
 * a document type declaration ends the reading, and with it there are no entities.
 */
#include <stdio.h>

#include <expat.h>

#include "rvps/extract.h"

enum { XML_SIZE_MAX = 4 << 20, XML_DEPTH_MAX = 64, HASHES_MAX = 64, RESOURCES_MAX = 4096 };

/* Expat joins namespace and local name with this; neither can contain it. */
#define SEP  "\n"
#define SWID "http://standards.iso.org/iso/19770/-2/2015/schema.xsd" SEP
#define RIM                                                                                        \
    "https://trustedcomputinggroup.org/resource/"                                                  \
    "tcg-reference-integrity-manifest-rim-information-model/" SEP
#define SHA384 "http://www.w3.org/2001/04/xmlenc#sha384" SEP

typedef struct resource {
    vs_span index;
    vs_val hashes;
} resource;

typedef struct reader {
    XML_Parser parser;
    vs_arena *a;
    vs_error *err;
    vs_code code; /* the first failure of ours */
    unsigned depth;
    unsigned payload; /* depth of the first Payload while inside it, else 0 */
    bool has_meta, has_payload;
    vs_span manufacturer, edition;
    resource *resources;
    size_t n, room;
} reader;

/* ---- elements -------------------------------------------------------------------------------- */

static void stop(reader *r, vs_code code)
{
    if (r->code == VS_OK)
        r->code = code;
    (void)XML_StopParser(r->parser, XML_FALSE);
}

#define STOP(r, code, ...) stop((r), vs_fail((r)->err, (code), __VA_ARGS__))

/* Expat has refused repeated attributes. NULL when there is none. */
static const char *attribute(const char **attrs, const char *name)
{
    for (; attrs[0]; attrs += 2)
        if (strcmp(attrs[0], name) == 0)
            return attrs[1];
    return NULL;
}

static void read_meta(reader *r, const char **attrs)
{
    const char *who = attribute(attrs, RIM "PlatformManufacturerStr");
    const char *edition = attribute(attrs, "edition");
    r->has_meta = true;
    if (!who || !edition) {
        STOP(r, VS_E_INVALID, "element Meta has no attribute %s",
             who ? "edition" : "PlatformManufacturerStr");
        return;
    }
    r->manufacturer = vs_dup(r->a, vs_str(who));
    r->edition = vs_dup(r->a, vs_str(edition));
}

/* Only hexadecimal; *zero when it is all zeros, which stands for "not measured". */
static bool is_hash(const char *text, bool *zero)
{
    size_t n = strlen(text);
    *zero = strspn(text, "0") == n;
    return strspn(text, "0123456789abcdefABCDEF") == n && n % 2 == 0;
}

static vs_val read_hashes(reader *r, const char **attrs)
{
    vs_vec list = {.a = r->a};
    for (unsigned i = 0;; i++) {
        char name[sizeof SHA384 + 16];
        bool zero;
        (void)snprintf(name, sizeof name, SHA384 "Hash%u", i);
        const char *hash = attribute(attrs, name);
        if (!hash)
            return vs_vec_end_array(&list);
        if (i == HASHES_MAX) {
            STOP(r, VS_E_LIMIT, "more than %d hashes of one resource", HASHES_MAX);
            return vs_undefined();
        }
        if (!is_hash(hash, &zero)) {
            STOP(r, VS_E_INVALID, "Hash%u is not a digest in hexadecimal", i);
            return vs_undefined();
        }
        if (!zero)
            vs_vec_add(&list, vs_string_dup(r->a, vs_str(hash)));
    }
}

static void read_resource(reader *r, const char **attrs)
{
    const char *type = attribute(attrs, "type"), *index = attribute(attrs, "index");
    if (!type || strcmp(type, "Measurement") != 0)
        return;
    if (!index) {
        STOP(r, VS_E_INVALID, "a Resource of type Measurement has no index");
        return;
    }
    vs_val hashes = read_hashes(r, attrs);
    if (r->code != VS_OK || hashes.len == 0)
        return;
    if (r->n == RESOURCES_MAX) {
        STOP(r, VS_E_LIMIT, "more than %d measurements", RESOURCES_MAX);
        return;
    }
    if (r->n == r->room) {
        r->room = r->room ? r->room * 2 : 32;
        r->resources = vs_grow(r->a, r->resources, r->n, r->room, sizeof *r->resources);
    }
    if (r->resources)
        r->resources[r->n++] = (resource){vs_dup(r->a, vs_str(index)), hashes};
}

static void XMLCALL on_start(void *user, const char *name, const char **attrs)
{
    reader *r = user;
    if (r->code != VS_OK)
        return;
    if (++r->depth > XML_DEPTH_MAX)
        STOP(r, VS_E_LIMIT, "elements nest deeper than %d", XML_DEPTH_MAX);
    else if (r->depth == 1 && strcmp(name, SWID "SoftwareIdentity") != 0)
        STOP(r, VS_E_INVALID, "the root element is not the SoftwareIdentity of a SWID tag");
    else if (!r->has_meta && strcmp(name, SWID "Meta") == 0)
        read_meta(r, attrs);
    else if (!r->has_payload && strcmp(name, SWID "Payload") == 0)
        r->payload = r->depth;
    else if (r->payload && strcmp(name, SWID "Resource") == 0)
        read_resource(r, attrs);
    r->has_payload = r->has_payload || r->payload;
    if (!vs_arena_ok(r->a))
        stop(r, vs_arena_check(r->a, r->err));
}

static void XMLCALL on_end(void *user, const char *name)
{
    reader *r = user;
    (void)name;
    if (r->payload == r->depth)
        r->payload = 0;
    r->depth--;
}

static void XMLCALL on_doctype(void *user, const char *name, const char *system, const char *public,
                               int internal)
{
    reader *r = user;
    (void)name, (void)system, (void)public, (void)internal;
    STOP(r, VS_E_UNSUPPORTED, "document type declarations are not accepted");
}

/* ---- the document ---------------------------------------------------------------------------- */

static void free_parser(XML_Parser *p)
{
    XML_ParserFree(*p);
}

static vs_code parse(reader *r, vs_span xml)
{
    VS_CLEANUP(free_parser) XML_Parser p = XML_ParserCreateNS(NULL, SEP[0]);
    if (!p)
        return vs_fail(r->err, VS_E_NOMEM, "out of memory");
    r->parser = p;
    XML_SetUserData(p, r);
    XML_SetElementHandler(p, on_start, on_end);
    XML_SetStartDoctypeDeclHandler(p, on_doctype);
    enum XML_Status status = XML_Parse(p, xml.n ? (const char *)xml.p : "", (int)xml.n, XML_TRUE);
    if (r->code != VS_OK) {
        (void)vs_wrap(r->err, "line %lu", XML_GetCurrentLineNumber(p));
        return r->code;
    }
    if (status == XML_STATUS_OK)
        return VS_OK;
    enum XML_Error e = XML_GetErrorCode(p);
    return vs_fail(r->err, e == XML_ERROR_NO_MEMORY ? VS_E_NOMEM : VS_E_PARSE, "XML, line %lu: %s",
                   XML_GetCurrentLineNumber(p), XML_ErrorString(e));
}

/* "<manufacturer>.<edition>.measurement_<index>", blanks of the first and all '-' as '_'. */
static vs_span record_name(const reader *r, vs_span index)
{
    const vs_span parts[] = {r->manufacturer, VS_LIT("."), r->edition, VS_LIT(".measurement_"),
                             index};
    size_t n = 0;
    for (size_t i = 0; i < VS_COUNT(parts); i++)
        n += parts[i].n;
    uint8_t *name = vs_alloc(r->a, n);
    n = 0;
    for (size_t i = 0; name && i < VS_COUNT(parts); i++)
        for (size_t k = 0; k < parts[i].n; k++) {
            uint8_t c = parts[i].p[k];
            name[n++] = c == '-' || (i == 0 && c == ' ') ? '_' : c;
        }
    return vs_span_of(name, n);
}

vs_code rvps_extract_swid(const rvps_context *x, vs_span xml, rvps_records *out, vs_error *err)
{
    reader r = {.a = out->a, .err = err};
    (void)x;
    if (xml.n > XML_SIZE_MAX)
        return vs_fail(err, VS_E_LIMIT, "SWID tag of %zu bytes, at most %d", xml.n, XML_SIZE_MAX);
    VS_TRY_WRAP(parse(&r, xml), err, "SWID tag");
    if (!r.has_meta || !r.has_payload)
        return vs_fail(err, VS_E_INVALID, "SWID tag without element %s",
                       r.has_meta ? "Payload" : "Meta");
    for (size_t i = 0; i < r.n; i++)
        rvps_add_record(out, record_name(&r, r.resources[i].index), r.resources[i].hashes,
                        RVPS_MERGE_LIST);
    VS_TRY(vs_arena_check(out->a, err));
    return rvps_merge_records(out, err);
}
