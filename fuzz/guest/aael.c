/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as an agent's event log and as its journal, the latter also with the right seal: what
 * is taken is what would be written. */
#include "aa/eventlog.h"

static void check(bool ok)
{
    if (!ok)
        __builtin_trap();
}

static void journal(vs_span in)
{
    aael_journal j;
    vs_buf again = VS_BUF(1 << 16);
    if (aael_read_journal(in, VS_SHA384, &j, NULL) == VS_OK) {
        check(j.expected.n == 48 && j.at <= AAEL_LOG_MAX && j.text.n <= AAEL_TEXT_MAX);
        check(aael_put_journal(&again, VS_SHA384, &j, NULL) == VS_OK);
        check(vs_span_eq(in, vs_buf_span(&again)));
    }
    vs_buf_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    vs_span in = vs_span_of(data, size);
    size_t whole, again;
    uint8_t seal[VS_HASH_MAX], value[VS_HASH_MAX] = {0};
    vs_buf sealed = VS_BUF(1 << 20);
    if (aael_check(in, VS_SHA384, &whole, NULL) == VS_OK) {
        check(whole <= size);
        check(aael_check(vs_span_head(in, whole), VS_SHA384, &again, NULL) == VS_OK);
        check(again == whole);
        check(aael_replay(vs_span_head(in, whole), VS_SHA384, 4, value, &again, NULL) == VS_OK);
        check(again <= whole / AAEL_HEAD);
    }
    journal(in);
    if (vs_digest(VS_SHA256, in, (vs_span){0}, (vs_span){0}, seal, NULL) != VS_OK)
        __builtin_trap();
    vs_buf_put(&sealed, in);
    vs_buf_put(&sealed, vs_span_of(seal, 32));
    if (vs_buf_ok(&sealed))
        journal(vs_buf_span(&sealed));
    vs_buf_free(&sealed);
    return 0;
}
