/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Measurements at run time: registers are extended, and what with is kept in a log (AAEL, guest.md
 * 1.7), from which a verifier computes the registers anew.
 *
 * Log and registers must never differ, wherever the program is killed. So an event is first written
 * to a journal, with the value that its register will have; a journal that is found is completed
 * before anything else: the register tells whether it was extended already. Unlike upstream's, log
 * and journal name the register that is extended, and both are bounded.
 *
 * All state is in the files: several processes may share them. The log is locked (flock, exclusive)
 * meanwhile; who wants it to fit a quote holds a shared lock while it gets one.
 */
#ifndef VS_AA_EVENTLOG_H
#define VS_AA_EVENTLOG_H

#include "client/attester.h"

enum {
    AAEL_TEXT_MAX = 16 * 1024, /* of one event */
    AAEL_LOG_MAX = 256 * 1024, /* of all: it goes out with every quote */
    AAEL_HEAD = 26,            /* of an entry, without its digest and text */
    AAEL_REGISTERS = 32,       /* that a log can name: 0 to 31 */
};

typedef struct aa_eventlog aa_eventlog;

/* `regs` is copied; its path says where the log is, the journal (".wal_event_entry") is beside it,
 * the directory is made. Completes what an earlier process began, and cuts a torn entry off the
 * log's end, with a warning. A log whose registers are as they were before all of it is that of an
 * earlier start of the guest: it is moved to PATH.old, with a warning. CONFLICT: the register is
 * neither as before nor as after the event of the journal, or does not hold what the log says,
 * where that can be told (attester_registers.start); INVALID: log or journal are damaged; in these
 * cases measurements and log cannot be brought together any more until the guest is started anew.
 */
VS_MUST vs_code aa_eventlog_open(const attester_registers *regs, aa_eventlog **out, vs_error *err);
void aa_eventlog_close(aa_eventlog **log); /* NULL-safe */
/* Extends the register that this number of a PCR stands for by the event, and logs it. LIMIT, with
 * nothing done: the event or the log would be too long. After any other error either nothing was
 * done, or the next call, or the next open, completes it. Any number of threads. */
VS_MUST vs_code aa_eventlog_extend(aa_eventlog *log, uint64_t pcr, vs_span text, vs_error *err);

/* ---- parts, for tests ------------------------------------------------------------------------ */

/* The entry of this event; its digest goes to `digest`. */
VS_MUST vs_code aael_put_entry(vs_buf *out, vs_hash hash, uint32_t index, vs_span text,
                               uint8_t digest[VS_HASH_MAX], vs_error *err);
/* The number of bytes that are whole entries; less than log.n when the last one is torn. INVALID:
 * an entry that no aael_put_entry made. */
VS_MUST vs_code aael_check(vs_span log, vs_hash hash, size_t *whole, vs_error *err);

/* Extends `value` by all events of this register. *events = how many. As aael_check; PARSE: the
 * last entry is torn. */
VS_MUST vs_code aael_replay(vs_span log, vs_hash hash, uint32_t index, uint8_t value[VS_HASH_MAX],
                            size_t *events, vs_error *err);

typedef struct aael_journal {
    uint64_t at; /* in the log, where the entry belongs */
    uint32_t index;
    vs_span expected, text; /* the register after it; the event */
} aael_journal;
VS_MUST vs_code aael_put_journal(vs_buf *out, vs_hash hash, const aael_journal *j, vs_error *err);
/* Views into `in`. INVALID: not a whole one. */
VS_MUST vs_code aael_read_journal(vs_span in, vs_hash hash, aael_journal *out, vs_error *err);

#endif
