/* SPDX-License-Identifier: Apache-2.0 */
#include "realm/device.h"

#include <errno.h>
#include <limits.h>

#include "base/log.h"

void tsm_report_free(tsm_report *r)
{
    vs_buf_free(&r->outblob);
}

int tsm_report_write(tsm_report *r, vs_span inblob)
{
    if (inblob.n > TSM_INBLOB_MAX)
        return EFBIG;
    if (inblob.n == 0)
        return EINVAL;
    if (r->generation == UINT_MAX)
        return EBUSY;
    memcpy(r->inblob, inblob.p, inblob.n);
    r->n = inblob.n;
    r->generation++;
    return 0;
}

/* The CCA driver wants 32 to 64 bytes and pads them with zeros. */
static int generate(tsm_report *r, realm_home *home)
{
    if (r->n < TSM_INBLOB_MIN)
        return EINVAL;
    uint8_t challenge[CCA_CHALLENGE] = {0};
    memcpy(challenge, r->inblob, r->n);
    vs_buf_free(&r->outblob);
    r->outblob = (vs_buf)VS_BUF(TSM_OUTBLOB_MAX);
    vs_error err = {0};
    if (realm_attest(home, vs_span_of(challenge, sizeof challenge), &r->outblob, &err) == VS_OK)
        return 0;
    vs_log_error(VS_LOG_ERROR, "realm", "making a token", &err);
    return ENXIO;
}

int tsm_report_read(tsm_report *r, realm_home *home, vs_span *outblob)
{
    *outblob = (vs_span){0};
    if (r->generation == 0)
        return EINVAL;
    if (r->generated != r->generation) {
        r->generated = 0;
        int e = generate(r, home);
        if (e)
            return e;
        r->generated = r->generation;
    }
    *outblob = vs_buf_span(&r->outblob);
    return 0;
}
