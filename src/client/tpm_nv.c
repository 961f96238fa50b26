/* SPDX-License-Identifier: Apache-2.0 */
/* Non-volatile memory of a TPM (TPM 2.0 Library part 3, 31). */
#include "client/tpm.h"
#include "tee/cursor.h"

enum {
    NV_UNDEFINE = 0x122,
    NV_DEFINE = 0x12a,
    NV_WRITE = 0x137,
    NV_READ = 0x14e,
    NV_READ_PUBLIC = 0x169,
    RC_NO_INDEX = 0x18b, /* the first handle is of nothing */
    RC_NOT_THE_OWNERS = 0x149,
    RC_NOT_WRITTEN = 0x14a,
    OWNER = 0x40000001,
    ALG_SHA256 = 0x000b,
    OWNER_ONLY = 0x00020002, /* who may read and write it */
    CHUNK = 512,             /* every TPM gives so much at once */
};

vs_code tpm_nv_public_parse(vs_span in, uint32_t index, size_t *size, vs_error *err)
{
    vs_cursor c = vs_cursor_of(in, err);
    c = vs_cursor_of(vs_cursor_take(&c, be_u16(&c)), err); /* its name follows */
    uint32_t got = be_u32(&c);
    (void)vs_cursor_take(&c, 2 + 4);      /* algorithm of its name, attributes */
    (void)vs_cursor_take(&c, be_u16(&c)); /* policy */
    *size = be_u16(&c);
    VS_TRY_WRAP(vs_cursor_end(&c), err, "public part of NV index 0x%08x", index);
    if (got != index)
        return vs_fail(err, VS_E_INVALID, "the TPM answers for NV index 0x%08x instead of 0x%08x",
                       got, index);
    return VS_OK;
}

vs_code tpm_nv_size(int fd, uint32_t index, size_t *size, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf body = VS_BUF(16), answer = VS_BUF(TPM_ANSWER_MAX);
    uint32_t rc;
    tpm_put_be(&body, index, 4);
    VS_TRY(tpm_ask(fd, TPM_NO_SESSIONS, NV_READ_PUBLIC, vs_buf_span(&body), &answer, &rc, err));
    if (rc == RC_NO_INDEX)
        return vs_fail(err, VS_E_NOT_FOUND, "the TPM has no NV index 0x%08x", index);
    if (rc != 0)
        return vs_fail(err, VS_E_IO, "the TPM refuses to describe NV index 0x%08x with code 0x%x",
                       index, rc);
    return tpm_nv_public_parse(vs_span_from(vs_buf_span(&answer), TPM_ANSWER_HEAD), index, size,
                               err);
}

/* ---- reading --------------------------------------------------------------------------------- */

static vs_code read_chunk(int fd, uint32_t index, size_t at, size_t n, vs_buf *out, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf body = VS_BUF(64), answer = VS_BUF(TPM_ANSWER_MAX);
    uint32_t rc;
    tpm_put_be(&body, OWNER, 4);
    tpm_put_be(&body, index, 4);
    tpm_put_password(&body);
    tpm_put_be(&body, n, 2);
    tpm_put_be(&body, at, 2);
    VS_TRY(tpm_ask(fd, TPM_SESSIONS, NV_READ, vs_buf_span(&body), &answer, &rc, err));
    if (rc != 0)
        return vs_fail(err,
                       rc == RC_NOT_THE_OWNERS || rc == RC_NOT_WRITTEN ? VS_E_NOT_FOUND : VS_E_IO,
                       "the TPM refuses to read it with code 0x%x", rc);
    vs_cursor c = vs_cursor_of(vs_span_from(vs_buf_span(&answer), TPM_ANSWER_HEAD), err);
    vs_cursor p = vs_cursor_of(vs_cursor_take(&c, be_u32(&c)), err); /* a session follows */
    VS_TRY(c.code);
    vs_span data = vs_cursor_take(&p, be_u16(&p));
    VS_TRY(vs_cursor_end(&p));
    if (data.n != n)
        return vs_fail(err, VS_E_PARSE, "the TPM gives %zu bytes instead of %zu", data.n, n);
    vs_buf_put(out, data);
    return vs_buf_check(out, err);
}

vs_code tpm_nv_read(int fd, uint32_t index, size_t n, vs_buf *out, vs_error *err)
{
    for (size_t at = 0; at < n; at += CHUNK)
        VS_TRY_WRAP(read_chunk(fd, index, at, n - at < CHUNK ? n - at : CHUNK, out, err), err,
                    "NV index 0x%08x", index);
    return VS_OK;
}

/* ---- writing --------------------------------------------------------------------------------- */

static vs_code undefine(int fd, uint32_t index, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf body = VS_BUF(64), answer = VS_BUF(TPM_ANSWER_MAX);
    tpm_put_be(&body, OWNER, 4);
    tpm_put_be(&body, index, 4);
    tpm_put_password(&body);
    return tpm_transact(fd, TPM_SESSIONS, NV_UNDEFINE, vs_buf_span(&body), &answer, err);
}

static vs_code define(int fd, uint32_t index, size_t size, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf body = VS_BUF(64), answer = VS_BUF(TPM_ANSWER_MAX);
    tpm_put_be(&body, OWNER, 4);
    tpm_put_password(&body);
    tpm_put_be(&body, 0, 2);  /* no password */
    tpm_put_be(&body, 14, 2); /* the public part, with no policy */
    tpm_put_be(&body, index, 4);
    tpm_put_be(&body, ALG_SHA256, 2);
    tpm_put_be(&body, OWNER_ONLY, 4);
    tpm_put_be(&body, 0, 2);
    tpm_put_be(&body, size, 2);
    return tpm_transact(fd, TPM_SESSIONS, NV_DEFINE, vs_buf_span(&body), &answer, err);
}

/* All of the index in one command, so that nobody sees half of it. */
static vs_code write_all(int fd, uint32_t index, vs_span data, size_t size, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf body = VS_BUF(1024), answer = VS_BUF(TPM_ANSWER_MAX);
    tpm_put_be(&body, OWNER, 4);
    tpm_put_be(&body, index, 4);
    tpm_put_password(&body);
    tpm_put_be(&body, size, 2);
    vs_buf_put(&body, data);
    for (size_t i = data.n; i < size; i++)
        vs_buf_putc(&body, 0);
    tpm_put_be(&body, 0, 2);
    VS_TRY(vs_buf_check(&body, err));
    return tpm_transact(fd, TPM_SESSIONS, NV_WRITE, vs_buf_span(&body), &answer, err);
}

static vs_code store(int fd, uint32_t index, vs_span data, vs_error *err)
{
    size_t size = data.n;
    vs_error why = {0};
    vs_code code = tpm_nv_size(fd, index, &size, &why);
    if (code != VS_OK && code != VS_E_NOT_FOUND) {
        if (err)
            *err = why;
        return code;
    }
    if (code == VS_OK && (size < data.n || size > TPM_NV_STORE_MAX)) {
        VS_TRY(undefine(fd, index, err));
        code = VS_E_NOT_FOUND;
    }
    if (code == VS_E_NOT_FOUND) {
        size = data.n;
        VS_TRY(define(fd, index, size, err));
    }
    return write_all(fd, index, data, size, err);
}

vs_code tpm_nv_store(int fd, uint32_t index, vs_span data, vs_error *err)
{
    if (data.n > TPM_NV_STORE_MAX)
        return vs_fail(err, VS_E_LIMIT, "%zu bytes for NV index 0x%08x", data.n, index);
    VS_TRY_WRAP(store(fd, index, data, err), err, "writing NV index 0x%08x", index);
    return VS_OK;
}
