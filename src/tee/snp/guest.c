/* SPDX-License-Identifier: Apache-2.0 */
#include "tee/snp/guest.h"

#include "tee/cursor.h"

enum {
    GUID = 16,
    ENTRIES_MAX = 16, /* as the verifier takes */
    KINDS = 5,
};

typedef struct entry {
    vs_span guid, data;
    unsigned kind; /* index into kinds, KINDS = another */
} entry;

/* In the order in which they are sent. GUIDs in the byte order of RFC 4122. */
static const struct {
    const char *name;
    uint8_t guid[GUID];
} kinds[KINDS] = {
    {"ARK",
     {0xc0, 0xb4, 0x06, 0xa4, 0xa8, 0x03, 0x49, 0x52, 0x97, 0x43, 0x3f, 0xb6, 0x01, 0x4c, 0xd0,
      0xae}},
    {"VCEK",
     {0x63, 0xda, 0x75, 0x8d, 0xe6, 0x64, 0x45, 0x64, 0xad, 0xc5, 0xf4, 0xb9, 0x3b, 0xe8, 0xac,
      0xcd}},
    {"VLEK",
     {0xa8, 0x07, 0x4b, 0xc2, 0xa2, 0x5a, 0x48, 0x3e, 0xaa, 0xe6, 0x39, 0xc0, 0x45, 0xa0, 0xb8,
      0xa1}},
    {"ASK",
     {0x4a, 0xb7, 0xb3, 0x79, 0xbb, 0xac, 0x4f, 0xe4, 0xa0, 0x2f, 0x05, 0xae, 0xf3, 0x27, 0xc7,
      0x82}},
    {"CRL",
     {0x92, 0xf8, 0x1b, 0xc3, 0x58, 0x11, 0x4d, 0x3d, 0x97, 0xff, 0xd1, 0x9f, 0x88, 0xdc, 0x67,
      0xea}},
};

static unsigned kind_of(vs_span guid)
{
    unsigned k = 0;
    while (k < KINDS && !vs_span_eq(guid, vs_span_of(kinds[k].guid, GUID)))
        k++;
    return k;
}

static vs_code read_entries(vs_span table, entry *out, size_t *n, vs_error *err)
{
    static const uint8_t end[GUID] = {0};
    vs_cursor c = vs_cursor_of(table, err);
    *n = 0;
    for (;;) {
        vs_span guid = vs_cursor_take(&c, GUID);
        VS_TRY(c.code);
        if (vs_span_eq(guid, vs_span_of(end, GUID)))
            return VS_OK;
        uint32_t at = le_u32(&c), size = le_u32(&c);
        VS_TRY(c.code);
        if (*n == ENTRIES_MAX)
            return vs_fail(err, VS_E_LIMIT, "more than %d certificates", ENTRIES_MAX);
        if (at > table.n || size > table.n - at)
            return vs_fail(err, VS_E_PARSE,
                           "entry %zu: %u bytes at %u are announced, the table has %zu", *n, size,
                           at, table.n);
        out[(*n)++] = (entry){guid, vs_span_of(table.p + at, size), kind_of(guid)};
    }
}

static void put_guid(vs_buf *json, vs_span guid)
{
    for (size_t i = 0; i < guid.n; i++)
        vs_buf_printf(json, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x", guid.p[i]);
}

static void put_entry(vs_buf *json, const entry *e)
{
    if (e->kind < KINDS) {
        vs_buf_printf(json, "{\"cert_type\":\"%s\",\"data\":", kinds[e->kind].name);
    } else {
        vs_buf_puts(json, "{\"cert_type\":{\"OTHER\":\"");
        put_guid(json, e->guid);
        vs_buf_puts(json, "\"},\"data\":");
    }
    evidence_put_bytes(json, e->data);
    vs_buf_putc(json, '}');
}

vs_code snp_table_write(vs_buf *json, vs_span table, vs_error *err)
{
    entry entries[ENTRIES_MAX];
    size_t n = 0;
    bool first = true;
    if (table.n)
        VS_TRY_WRAP(read_entries(table, entries, &n, err), err, "certificate table of the host");
    vs_buf_puts(json, n ? "[" : "null");
    for (unsigned kind = 0; kind <= KINDS; kind++) {
        for (size_t i = 0; i < n; i++) {
            if (entries[i].kind != kind)
                continue;
            vs_buf_puts(json, first ? "" : ",");
            put_entry(json, &entries[i]);
            first = false;
        }
    }
    vs_buf_puts(json, n ? "]" : "");
    return vs_buf_check(json, err);
}

vs_code snp_write_evidence(vs_buf *json, vs_span report, vs_span table, vs_error *err)
{
    vs_buf_puts(json, "{\"attestation_report\":");
    VS_TRY(snp_report_write(json, report, err));
    vs_buf_puts(json, ",\"cert_chain\":");
    VS_TRY(snp_table_write(json, table, err));
    vs_buf_putc(json, '}');
    return vs_buf_check(json, err);
}
