/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes of the log's entries, and of the journal. */
#include "aa/eventlog.h"
#include "tee/cursor.h"
#include "tee/eventlog/eventlog.h"

enum {
    EV_EVENT_TAG = 6,
    JOURNAL_SEAL = 32, /* SHA-256 over what is before */
};

static const char journal_magic[8] = "vsaawal1";

static void put_le(vs_buf *out, uint64_t v, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        vs_buf_putc(out, (char)(v >> 8 * i));
}

static uint16_t alg_of(vs_hash hash)
{
    return hash == VS_SHA256   ? 0x000b
           : hash == VS_SHA384 ? 0x000c
           : hash == VS_SHA512 ? 0x000d
           : hash == VS_SM3    ? 0x0012
                               : 0;
}

/* ---- entries --------------------------------------------------------------------------------- */

static void put_event_data(vs_buf *out, vs_span text)
{
    put_le(out, EVENTLOG_AAEL_TAG, 4);
    put_le(out, text.n, 4);
    vs_buf_put(out, text);
}

vs_code aael_put_entry(vs_buf *out, vs_hash hash, uint32_t index, vs_span text,
                       uint8_t digest[VS_HASH_MAX], vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf data = VS_BUF(AAEL_TEXT_MAX + 8);
    put_event_data(&data, text);
    if (!vs_buf_ok(&data))
        return vs_fail(err, VS_E_LIMIT, "event of %zu bytes, at most %d", text.n, AAEL_TEXT_MAX);
    VS_TRY(vs_digest(hash, vs_buf_span(&data), (vs_span){0}, (vs_span){0}, digest, err));
    put_le(out, index, 4);
    put_le(out, EV_EVENT_TAG, 4);
    put_le(out, 1, 4);
    put_le(out, alg_of(hash), 2);
    vs_buf_put(out, vs_span_of(digest, vs_hash_size(hash)));
    put_le(out, data.n, 4);
    vs_buf_put(out, vs_buf_span(&data));
    return vs_buf_check(out, err);
}

/* One entry, its register and its digest; or VS_E_PARSE: the input ends within it. */
static vs_code check_entry(vs_cursor *c, vs_hash hash, uint32_t *index, vs_span *of, vs_error *err)
{
    uint8_t digest[VS_HASH_MAX];
    size_t start = c->at;
    *index = le_u32(c);
    uint32_t type = le_u32(c), digests = le_u32(c);
    uint16_t alg = le_u16(c);
    VS_TRY(c->code);
    if (type != EV_EVENT_TAG || digests != 1 || alg != alg_of(hash))
        return vs_fail(err, VS_E_INVALID, "byte %zu: this is no entry of an agent's log", start);
    vs_span given = vs_cursor_take(c, vs_hash_size(hash));
    uint32_t size = le_u32(c);
    VS_TRY(c->code);
    if (size < 8 || size > AAEL_TEXT_MAX + 8)
        return vs_fail(err, VS_E_INVALID, "byte %zu: an event of %u bytes", start, size);
    vs_cursor data = vs_cursor_of(vs_cursor_take(c, size), NULL);
    VS_TRY(c->code);
    vs_span all = data.in;
    if (le_u32(&data) != EVENTLOG_AAEL_TAG || le_u32(&data) != size - 8)
        return vs_fail(err, VS_E_INVALID, "byte %zu: this is no event of an agent", start);
    VS_TRY(vs_digest(hash, all, (vs_span){0}, (vs_span){0}, digest, err));
    if (!vs_span_eq(given, vs_span_of(digest, vs_hash_size(hash))))
        return vs_fail(err, VS_E_INVALID, "byte %zu: the digest is not the event's", start);
    *of = given;
    return VS_OK;
}

vs_code aael_check(vs_span log, vs_hash hash, size_t *whole, vs_error *err)
{
    vs_cursor c = vs_cursor_of(log, NULL);
    uint32_t index;
    vs_span digest;
    *whole = 0;
    while (vs_cursor_left(&c)) {
        vs_code code = check_entry(&c, hash, &index, &digest, err);
        if (code == VS_E_PARSE)
            return VS_OK;
        VS_TRY(code);
        *whole = c.at;
    }
    return VS_OK;
}

vs_code aael_replay(vs_span log, vs_hash hash, uint32_t index, uint8_t value[VS_HASH_MAX],
                    size_t *events, vs_error *err)
{
    vs_cursor c = vs_cursor_of(log, err);
    size_t n = vs_hash_size(hash);
    *events = 0;
    while (vs_cursor_left(&c)) {
        uint32_t at;
        uint8_t next[VS_HASH_MAX];
        vs_span digest;
        VS_TRY(check_entry(&c, hash, &at, &digest, err));
        if (at != index)
            continue;
        ++*events;
        VS_TRY(vs_digest(hash, vs_span_of(value, n), digest, (vs_span){0}, next, err));
        memcpy(value, next, n);
    }
    return VS_OK;
}

/* ---- the journal ----------------------------------------------------------------------------- */

vs_code aael_put_journal(vs_buf *out, vs_hash hash, const aael_journal *j, vs_error *err)
{
    uint8_t seal[VS_HASH_MAX];
    size_t start = out->n;
    vs_buf_put(out, vs_span_of(journal_magic, sizeof journal_magic));
    put_le(out, j->at, 8);
    put_le(out, j->index, 4);
    put_le(out, alg_of(hash), 2);
    vs_buf_put(out, j->expected);
    put_le(out, j->text.n, 4);
    vs_buf_put(out, j->text);
    VS_TRY(vs_buf_check(out, err));
    VS_TRY(vs_digest(VS_SHA256, vs_span_from(vs_buf_span(out), start), (vs_span){0}, (vs_span){0},
                     seal, err));
    vs_buf_put(out, vs_span_of(seal, JOURNAL_SEAL));
    return vs_buf_check(out, err);
}

vs_code aael_read_journal(vs_span in, vs_hash hash, aael_journal *out, vs_error *err)
{
    uint8_t seal[VS_HASH_MAX];
    aael_journal j = {0};
    if (in.n < JOURNAL_SEAL || !vs_span_starts(in, vs_span_of(journal_magic, sizeof journal_magic)))
        return vs_fail(err, VS_E_INVALID, "not a journal of this program");
    vs_span body = vs_span_head(in, in.n - JOURNAL_SEAL);
    VS_TRY(vs_digest(VS_SHA256, body, (vs_span){0}, (vs_span){0}, seal, err));
    if (!vs_span_eq(vs_span_from(in, body.n), vs_span_of(seal, JOURNAL_SEAL)))
        return vs_fail(err, VS_E_INVALID, "the journal is damaged");
    vs_cursor c = vs_cursor_of(body, NULL);
    (void)vs_cursor_take(&c, sizeof journal_magic);
    j.at = le_u64(&c);
    j.index = le_u32(&c);
    uint16_t alg = le_u16(&c);
    j.expected = vs_cursor_take(&c, vs_hash_size(hash));
    j.text = vs_cursor_take(&c, le_u32(&c));
    if (vs_cursor_end(&c) != VS_OK || alg != alg_of(hash) || j.at > AAEL_LOG_MAX ||
        j.text.n > AAEL_TEXT_MAX)
        return vs_fail(err, VS_E_INVALID, "the journal is not one of these registers");
    *out = j;
    return VS_OK;
}
