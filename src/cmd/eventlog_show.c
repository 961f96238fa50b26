/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/eventlog_show.h"

#include "base/enc.h"

enum { TYPE_WIDTH = 34, TEXT_MAX = 400 };

/* ---- one event ------------------------------------------------------------------------------- */

/* "same", "differs", or "-" where there is nothing to compare. */
static vs_code digest_word(const eventlog_event *e, const char **word, vs_error *err)
{
    *word = "-";
    for (size_t i = 0; i < e->n_digests; i++) {
        const eventlog_digest *d = &e->digests[i];
        uint8_t h[VS_HASH_MAX];
        if (d->hash == VS_HASH_NONE)
            continue;
        VS_TRY(vs_digest(d->hash, e->data, (vs_span){NULL, 0}, (vs_span){NULL, 0}, h, err));
        bool same = vs_span_eq(d->value, vs_span_of(h, vs_hash_size(d->hash)));
        *word = same && strcmp(*word, "differs") != 0 ? "same" : "differs";
    }
    return VS_OK;
}

static void show_paths(view *v, vs_val paths)
{
    for (VS_ARR_FOR (path, paths)) {
        if (path != paths.u.items)
            vs_buf_puts(&v->out, "/");
        view_text(v, vs_span_head(vs_text(*path), TEXT_MAX));
    }
}

static void show_details(view *v, vs_val details)
{
    vs_val size = vs_getc(details, "variable_data_length"), text = vs_getc(details, "string");
    if (!vs_defined(text))
        text = vs_getc(details, "unicode_name");
    show_paths(v, vs_getc(details, "device_paths"));
    view_text(v, vs_span_head(vs_text(text), TEXT_MAX));
    if (vs_text(text).n > TEXT_MAX)
        vs_buf_puts(&v->out, "...");
    if (vs_is_int(size))
        vs_buf_printf(&v->out, " (%lld bytes)", (long long)size.u.i);
}

static vs_code show_event(view *v, vs_arena *a, size_t number, const eventlog_event *e,
                          vs_error *err)
{
    const char *word;
    vs_val details;
    vs_error bad = {0};
    VS_TRY(digest_word(e, &word, err));
    vs_buf_printf(&v->out, "  %4zu  %8u  %-*s  %-7s  ", number, e->index, TYPE_WIDTH, e->type_name,
                  word);
    if (eventlog_details(a, e, &details, &bad) == VS_OK) {
        show_details(v, details);
    } else {
        char text[VS_ERROR_TEXT];
        VS_TRY(vs_arena_check(a, err));
        view_styled(v, VIEW_YELLOW, "(%s)", vs_error_text(&bad, text, sizeof text));
    }
    vs_buf_putc(&v->out, '\n');
    return VS_OK;
}

/* ---- registers ------------------------------------------------------------------------------- */

enum { REGISTERS_SHOWN = 64 }; /* per bank: each takes a walk over the log */

static const struct {
    vs_hash hash;
    const char *name;
} banks[] = {{VS_SHA1, "SHA-1"},
             {VS_SHA256, "SHA-256"},
             {VS_SHA384, "SHA-384"},
             {VS_SHA512, "SHA-512"},
             {VS_SM3, "SM3"}};

static bool has_digest(const eventlog_event *e, vs_hash hash)
{
    for (size_t i = 0; i < e->n_digests; i++)
        if (e->digests[i].hash == hash)
            return true;
    return false;
}

/* The next higher index that this bank's events extend; false when there is none. */
static bool next_index(const eventlog *log, vs_hash hash, int64_t *index)
{
    int64_t best = INT64_MAX;
    for (size_t i = 0; i < log->n; i++) {
        const eventlog_event *e = &log->events[i];
        if (e->index > *index && e->index < best && has_digest(e, hash))
            best = e->index;
    }
    *index = best;
    return best != INT64_MAX;
}

static vs_code show_bank(view *v, const eventlog *log, size_t bank, vs_error *err)
{
    vs_hash hash = banks[bank].hash;
    int64_t index = -1;
    for (int n = 0; n < REGISTERS_SHOWN && next_index(log, hash, &index); n++) {
        uint8_t value[VS_HASH_MAX];
        VS_TRY(eventlog_replay(log, hash, (uint32_t)index, value, err));
        vs_buf_printf(&v->out, "  %4lld  %-7s  ", (long long)index, banks[bank].name);
        vs_hex_encode(&v->out, vs_span_of(value, vs_hash_size(hash)));
        vs_buf_putc(&v->out, '\n');
    }
    return VS_OK;
}

vs_code eventlog_show(view *v, vs_arena *a, const eventlog *log, vs_error *err)
{
    view_styled(v, VIEW_BOLD, "event log");
    vs_buf_printf(&v->out, "  %zu events; differs: the digest is not that of the data shown\n",
                  log->n);
    vs_buf_printf(&v->out, "  %4s  %8s  %-*s  %-7s  %s\n", "#", "register", TYPE_WIDTH, "type",
                  "digest", "data");
    for (size_t i = 0; i < log->n; i++)
        VS_TRY(show_event(v, a, i + 1, &log->events[i], err));
    vs_buf_putc(&v->out, '\n');
    view_styled(v, VIEW_BOLD, "registers");
    vs_buf_puts(&v->out, "  as the digests replay; for TDX 1 to 4 are RTMR 0 to 3\n");
    for (size_t i = 0; i < VS_COUNT(banks); i++)
        VS_TRY(show_bank(v, log, i, err));
    return VS_OK;
}
