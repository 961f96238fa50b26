/* SPDX-License-Identifier: Apache-2.0 */
/* The binary form of an event log and its replay. */
#include "tee/eventlog/eventlog.h"

#include <stdio.h>

#include "tee/cursor.h"

enum {
    EV_NO_ACTION = 3,
    OLD_DIGEST = 20,  /* of the header event, which has the form of TCG 1.2 */
    SPEC_ID_HEAD = 24 /* signature, platform class, version, errata, size of uintn */
};

typedef struct alg {
    uint16_t id;
    const char *name;
    vs_hash hash;
    uint16_t size; /* 0: not fixed by the algorithm */
} alg;

static const alg algs[] = {
    {0x01, "RSA", VS_HASH_NONE, 0},   {0x03, "TDES", VS_HASH_NONE, 0},
    {0x04, "SHA-1", VS_SHA1, 20},     {0x0b, "SHA-256", VS_SHA256, 32},
    {0x0c, "SHA-384", VS_SHA384, 48}, {0x0d, "SHA-512", VS_SHA512, 64},
    {0x12, "SM3", VS_SM3, 32},
};

static const struct {
    uint32_t type;
    const char *name;
} types[] = {
    {0x00, "EV_PREBOOT_CERT"},
    {0x01, "EV_POST_CODE"},
    {0x02, "EV_UNUSED"},
    {0x03, "EV_NO_ACTION"},
    {0x04, "EV_SEPARATOR"},
    {0x05, "EV_ACTION"},
    {0x06, "EV_EVENT_TAG"},
    {0x07, "EV_S_CRTM_CONTENTS"},
    {0x08, "EV_S_CRTM_VERSION"},
    {0x09, "EV_CPU_MICROCODE"},
    {0x0a, "EV_PLATFORM_CONFIG_FLAGS"},
    {0x0b, "EV_TABLE_OF_DEVICES"},
    {0x0c, "EV_COMPACT_HASH"},
    {0x0d, "EV_IPL"},
    {0x0e, "EV_IPL_PARTITION_DATA"},
    {0x0f, "EV_NONHOST_CODE"},
    {0x10, "EV_NONHOST_CONFIG"},
    {0x11, "EV_NONHOST_INFO"},
    {0x12, "EV_OMIT_BOOT_DEVICE_EVENTS"},
    {0x80000000, "EV_EFI_EVENT_BASE"},
    {0x80000001, "EV_EFI_VARIABLE_DRIVER_CONFIG"},
    {0x80000002, "EV_EFI_VARIABLE_BOOT"},
    {0x80000003, "EV_EFI_BOOT_SERVICES_APPLICATION"},
    {0x80000004, "EV_EFI_BOOT_SERVICES_DRIVER"},
    {0x80000005, "EV_EFI_RUNTIME_SERVICES_DRIVER"},
    {0x80000006, "EV_EFI_GPT_EVENT"},
    {0x80000007, "EV_EFI_ACTION"},
    {0x80000008, "EV_EFI_PLATFORM_FIRMWARE_BLOB"},
    {0x80000009, "EV_EFI_HANDOFF_TABLES"},
    {0x8000000a, "EV_EFI_PLATFORM_FIRMWARE_BLOB2"},
    {0x8000000b, "EV_EFI_HANDOFF_TABLES2"},
    {0x8000000c, "EV_EFI_VARIABLE_BOOT2"},
    {0x80000010, "EV_EFI_HCRTM_EVENT"},
    {0x800000e0, "EV_EFI_VARIABLE_AUTHORITY"},
    {0x800000e1, "EV_EFI_SPDM_FIRMWARE_BLOB"},
    {0x800000e2, "EV_EFI_SPDM_FIRMWARE_CONFIG"},
};

static const alg *alg_of(uint16_t id)
{
    for (size_t i = 0; i < VS_COUNT(algs); i++)
        if (algs[i].id == id)
            return &algs[i];
    return NULL;
}

static const char *type_name(uint32_t type)
{
    for (size_t i = 0; i < VS_COUNT(types); i++)
        if (types[i].type == type)
            return types[i].name;
    return NULL;
}

/* ---- the header event ------------------------------------------------------------------------ */

/* Digest sizes as the header announces them. */
typedef struct sizes {
    struct {
        uint16_t id, size;
    } of[EVENTLOG_ALGS_MAX];
    size_t n;
} sizes;

static const uint16_t *size_of(const sizes *s, uint16_t id)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->of[i].id == id)
            return &s->of[i].size;
    return NULL;
}

/* Algorithms that are only announced need not be known; what is used must be. */
static vs_code add_size(sizes *s, uint16_t id, uint16_t size, vs_error *err)
{
    const alg *known = alg_of(id);
    if (size_of(s, id))
        return vs_fail(err, VS_E_INVALID, "algorithm 0x%x is announced twice", id);
    if (known && known->size && known->size != size)
        return vs_fail(err, VS_E_INVALID, "digests of %u bytes are announced for %s", size,
                       known->name);
    s->of[s->n].id = id;
    s->of[s->n++].size = size;
    return VS_OK;
}

/* TCG_EfiSpecIdEvent. The signature is not looked at: the log of an attestation agent without a
 * firmware log has none (guest.md 1.7). */
static vs_code read_spec_id(vs_span data, sizes *s, vs_error *err)
{
    vs_cursor c = vs_cursor_of(data, err);
    (void)vs_cursor_take(&c, SPEC_ID_HEAD);
    uint32_t n = le_u32(&c);
    VS_TRY(c.code);
    if (n > EVENTLOG_ALGS_MAX)
        return vs_fail(err, VS_E_LIMIT, "%u digest algorithms, at most %d", n, EVENTLOG_ALGS_MAX);
    for (uint32_t i = 0; i < n; i++) {
        uint16_t id = le_u16(&c), size = le_u16(&c);
        VS_TRY(c.code);
        VS_TRY(add_size(s, id, size, err));
    }
    (void)vs_cursor_take(&c, le_u8(&c)); /* vendor information */
    VS_TRY(c.code);
    if (vs_cursor_left(&c))
        return vs_fail(err, VS_E_INVALID, "%zu bytes too many", vs_cursor_left(&c));
    return VS_OK;
}

static vs_code read_header(vs_cursor *c, sizes *s)
{
    (void)le_u32(c); /* register */
    uint32_t type = le_u32(c);
    (void)vs_cursor_take(c, OLD_DIGEST);
    vs_span data = vs_cursor_take(c, le_u32(c));
    VS_TRY(c->code);
    if (type != EV_NO_ACTION)
        return vs_fail(c->err, VS_E_INVALID,
                       "the first event is of type 0x%x and not the specification id event", type);
    return read_spec_id(data, s, c->err);
}

/* ---- events ---------------------------------------------------------------------------------- */

static vs_code read_digest(vs_cursor *c, const sizes *s, const eventlog_event *e,
                           eventlog_digest *d)
{
    uint16_t id = le_u16(c);
    VS_TRY(c->code);
    const uint16_t *size = size_of(s, id);
    const alg *known = alg_of(id);
    if (!size || !known)
        return vs_fail(c->err, VS_E_UNSUPPORTED, "digest algorithm 0x%x is not %s", id,
                       known ? "one of the log's header" : "known");
    for (const eventlog_digest *p = e->digests; p < d; p++)
        if (p->alg == id)
            return vs_fail(c->err, VS_E_INVALID, "two %s digests", known->name);
    *d = (eventlog_digest){id, known->name, known->hash, vs_cursor_take(c, *size)};
    return c->code;
}

static vs_code read_event(vs_arena *a, vs_cursor *c, const sizes *s, eventlog_event *e)
{
    e->index = le_u32(c);
    e->type = le_u32(c);
    uint32_t n = le_u32(c);
    VS_TRY(c->code);
    e->type_name = type_name(e->type);
    if (!e->type_name)
        return vs_fail(c->err, VS_E_UNSUPPORTED, "event type 0x%x is not known", e->type);
    if (n > EVENTLOG_ALGS_MAX)
        return vs_fail(c->err, VS_E_LIMIT, "%u digests, at most %d", n, EVENTLOG_ALGS_MAX);
    eventlog_digest *digests = vs_alloc_array(a, n, sizeof *digests);
    VS_TRY(vs_arena_check(a, c->err));
    e->digests = digests;
    e->n_digests = n;
    for (uint32_t i = 0; i < n; i++)
        VS_TRY(read_digest(c, s, e, &digests[i]));
    e->data = vs_cursor_take(c, le_u32(c));
    return c->code;
}

/* The rest of a table is padded with one or the other. */
static bool at_end_mark(const vs_cursor *c)
{
    static const uint8_t zeros[8], ones[8] = {255, 255, 255, 255, 255, 255, 255, 255};
    const uint8_t *p = c->in.p + c->at;
    return vs_cursor_left(c) >= 8 && (memcmp(p, zeros, 8) == 0 || memcmp(p, ones, 8) == 0);
}

static vs_code read_events(vs_arena *a, vs_cursor *c, const sizes *s, eventlog *log)
{
    eventlog_event *events = NULL;
    size_t room = 0;
    while (vs_cursor_left(c) && !at_end_mark(c)) {
        if (log->n == EVENTLOG_EVENTS_MAX)
            return vs_fail(c->err, VS_E_LIMIT, "more than %d events", EVENTLOG_EVENTS_MAX);
        if (log->n == room) {
            room = room ? room * 2 : 64;
            events = vs_grow(a, events, log->n, room, sizeof *events);
            VS_TRY(vs_arena_check(a, c->err));
            log->events = events;
        }
        VS_TRY_WRAP(read_event(a, c, s, &events[log->n]), c->err, "event %zu", log->n + 1);
        log->n++;
    }
    return VS_OK;
}

vs_code eventlog_parse(vs_arena *a, vs_span in, eventlog *out, vs_error *err)
{
    eventlog log = {0};
    sizes s = {0};
    vs_cursor c = vs_cursor_of(in, err);
    if (in.n > EVENTLOG_SIZE_MAX)
        return vs_fail(err, VS_E_LIMIT, "event log of %zu bytes, at most %d", in.n,
                       EVENTLOG_SIZE_MAX);
    VS_TRY_WRAP(read_header(&c, &s), err, "header of the event log");
    VS_TRY_WRAP(read_events(a, &c, &s, &log), err, "event log");
    log.size = c.at;
    *out = log;
    return VS_OK;
}

bool eventlog_looks_like(vs_span in)
{
    sizes s = {0};
    vs_cursor c = vs_cursor_of(in, NULL);
    return read_header(&c, &s) == VS_OK;
}

/* ---- replay ---------------------------------------------------------------------------------- */

vs_code eventlog_replay(const eventlog *log, vs_hash hash, uint32_t index, uint8_t out[VS_HASH_MAX],
                        vs_error *err)
{
    size_t size = vs_hash_size(hash);
    uint8_t next[VS_HASH_MAX];
    memset(out, 0, VS_HASH_MAX);
    for (size_t i = 0; i < log->n; i++) {
        const eventlog_event *e = &log->events[i];
        if (e->index != index)
            continue;
        for (size_t d = 0; d < e->n_digests; d++) {
            if (e->digests[d].hash != hash)
                continue;
            VS_TRY(vs_digest(hash, vs_span_of(out, size), e->digests[d].value, (vs_span){NULL, 0},
                             next, err));
            memcpy(out, next, size);
        }
    }
    return VS_OK;
}

static bool is_covered(const eventlog_event *e, vs_hash hash, const eventlog_register *regs,
                       size_t n)
{
    bool digest = false, listed = false;
    if (e->type == EV_NO_ACTION || e->index == 0)
        return true;
    for (size_t i = 0; i < e->n_digests; i++)
        digest = digest || e->digests[i].hash == hash;
    for (size_t i = 0; i < n; i++)
        listed = listed || regs[i].index == e->index;
    return digest && listed;
}

static void write_hex(char out[2 * VS_HASH_MAX + 1], vs_span bytes)
{
    out[0] = 0;
    for (size_t i = 0; i < bytes.n && i < VS_HASH_MAX; i++)
        (void)snprintf(out + 2 * i, 3, "%02x", bytes.p[i]);
}

vs_code eventlog_match(const eventlog *log, vs_hash hash, const eventlog_register *regs, size_t n,
                       vs_error *err)
{
    for (size_t i = 0; i < n; i++) {
        uint8_t got[VS_HASH_MAX];
        char is[2 * VS_HASH_MAX + 1], want[2 * VS_HASH_MAX + 1];
        VS_TRY(eventlog_replay(log, hash, regs[i].index, got, err));
        vs_span value = vs_span_of(got, vs_hash_size(hash));
        if (vs_span_eq(value, regs[i].value))
            continue;
        write_hex(is, value);
        write_hex(want, regs[i].value);
        return vs_fail(err, VS_E_MISMATCH, "the event log gives %s for %s, the evidence has %s", is,
                       regs[i].name, want);
    }
    for (size_t i = 0; i < log->n; i++)
        if (!is_covered(&log->events[i], hash, regs, n))
            return vs_fail(err, VS_E_MISMATCH,
                           "event %zu (%s, register %u) extends none of the evidence's registers",
                           i + 1, log->events[i].type_name, log->events[i].index);
    return VS_OK;
}
