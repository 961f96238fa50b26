/* SPDX-License-Identifier: Apache-2.0 */
#include "client/tpm.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/enc.h"
#include "base/io.h"
#include "base/wait.h"
#include "tee/cursor.h"

enum {
    PCR_READ = 0x17e,
    PCR_EXTEND = 0x182,
    QUOTE = 0x158,
    READ_PUBLIC = 0x173,
    RC_RETRY = 0x922, /* nothing was done yet */
    RETRIES = 50,
    RETRY_MS = 10,
    PATIENCE_S = 120, /* with one command */
    HEAD = TPM_ANSWER_HEAD,
    ALG_RSA = 0x0001,
    ALG_SHA256 = 0x000b,
    ALG_NULL = 0x0010,
    ALG_RSASSA = 0x0014,
    PASSWORD_HANDLE = 0x40000009,
    PCRS_AT_ONCE = 8, /* an answer has no more */
};

/* ---- the device ------------------------------------------------------------------------------ */

static vs_code connect_to(const char *path, int *fd, vs_error *err)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    if ((size_t)snprintf(to.sun_path, sizeof to.sun_path, "%s", path) >= sizeof to.sun_path)
        return vs_fail(err, VS_E_INVALID, "path is too long for a socket: %s", path);
    *fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (*fd >= 0 && connect(*fd, (struct sockaddr *)&to, sizeof to) == 0)
        return VS_OK;
    vs_code code = vs_fail_errno(err, VS_E_IO, errno, "cannot connect to %s", path);
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
    return code;
}

vs_code tpm_open(const char *path, int *fd, vs_error *err)
{
    struct stat st;
    *fd = -1;
    if (stat(path, &st) == 0 && S_ISSOCK(st.st_mode))
        return connect_to(path, fd, err);
    *fd = open(path, O_RDWR | O_CLOEXEC);
    if (*fd < 0)
        return vs_fail_errno(err, errno == ENOENT || errno == ENOTDIR ? VS_E_NOT_FOUND : VS_E_IO,
                             errno, "%s", path);
    return VS_OK;
}

static vs_code check_time(int64_t until, vs_error *err)
{
    if (vs_mono_ns() >= until)
        return vs_fail(err, VS_E_TIMEOUT, "the TPM does not answer");
    if (vs_wait_is_over())
        return vs_fail(err, VS_E_TIMEOUT, "nobody waits for the TPM any more");
    return VS_OK;
}

/* A device gives the whole answer to one read, a socket in pieces. */
static vs_code read_answer(int fd, int64_t until, vs_buf *answer, vs_error *err)
{
    uint8_t chunk[TPM_ANSWER_MAX];
    size_t want = HEAD;
    vs_buf_clear(answer);
    while (answer->n < want) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        VS_TRY(check_time(until, err));
        int ready = poll(&p, 1, vs_wait_ms(vs_wait_step(until)));
        if (ready == 0 || (ready < 0 && errno == EINTR))
            continue;
        ssize_t got = read(fd, chunk, sizeof chunk);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return vs_fail_errno(err, VS_E_IO, got < 0 ? errno : EPIPE, "cannot read from the TPM");
        vs_buf_put(answer, vs_span_of(chunk, (size_t)got));
        VS_TRY(vs_buf_check(answer, err));
        if (answer->n < HEAD)
            continue;
        vs_cursor c = vs_cursor_of(vs_span_from(vs_buf_span(answer), 2), err);
        want = be_u32(&c);
        if (want < HEAD || want > TPM_ANSWER_MAX || answer->n > want)
            return vs_fail(err, VS_E_PARSE, "an answer of the TPM that announces %zu bytes", want);
    }
    return VS_OK;
}

/* In one piece, for a device. What SIGPIPE does is the program's business. */
static ssize_t put_request(int fd, vs_span request)
{
    ssize_t put = send(fd, request.p, request.n, MSG_NOSIGNAL);
    return put < 0 && errno == ENOTSOCK ? write(fd, request.p, request.n) : put;
}

static vs_code exchange(int fd, vs_span request, int64_t until, vs_buf *answer, uint32_t *rc,
                        vs_error *err)
{
    VS_TRY(check_time(until, err));
    ssize_t put = put_request(fd, request);
    if (put != (ssize_t)request.n)
        return vs_fail_errno(err, VS_E_IO, put < 0 ? errno : EIO, "cannot write to the TPM");
    VS_TRY(read_answer(fd, until, answer, err));
    vs_cursor c = vs_cursor_of(vs_span_from(vs_buf_span(answer), 6), err);
    *rc = be_u32(&c);
    return c.code;
}

vs_code tpm_ask(int fd, unsigned tag, uint32_t command, vs_span body, vs_buf *answer, uint32_t *rc,
                vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf request = VS_BUF(TPM_ANSWER_MAX);
    tpm_put_be(&request, tag, 2);
    tpm_put_be(&request, HEAD + body.n, 4);
    tpm_put_be(&request, command, 4);
    vs_buf_put(&request, body);
    VS_TRY(vs_buf_check(&request, err));
    int64_t until = vs_mono_ns() + (int64_t)PATIENCE_S * 1000000000;
    for (unsigned i = 0;; i++) {
        VS_TRY(exchange(fd, vs_buf_span(&request), until, answer, rc, err));
        if (*rc != RC_RETRY || i == RETRIES)
            return VS_OK;
        (void)vs_wait_pause(RETRY_MS);
    }
}

vs_code tpm_transact(int fd, unsigned tag, uint32_t command, vs_span body, vs_buf *answer,
                     vs_error *err)
{
    uint32_t rc;
    VS_TRY(tpm_ask(fd, tag, command, body, answer, &rc, err));
    if (rc != 0)
        return vs_fail(err, VS_E_IO, "the TPM refuses command 0x%x with code 0x%x", command, rc);
    return VS_OK;
}

void tpm_put_be(vs_buf *out, uint64_t v, unsigned bytes)
{
    for (unsigned i = bytes; i > 0; i--)
        vs_buf_putc(out, (char)(v >> 8 * (i - 1)));
}

void tpm_put_password(vs_buf *out)
{
    tpm_put_be(out, 9, 4);
    tpm_put_be(out, PASSWORD_HANDLE, 4);
    tpm_put_be(out, 0, 5); /* no nonce, no attributes, an empty password */
}

static void put_selection(vs_buf *out, uint32_t pcrs)
{
    tpm_put_be(out, 1, 4);
    tpm_put_be(out, ALG_SHA256, 2);
    tpm_put_be(out, 3, 1);
    for (unsigned i = 0; i < 3; i++)
        tpm_put_be(out, pcrs >> 8 * i & 0xff, 1);
}

/* ---- the key --------------------------------------------------------------------------------- */

static vs_code make_key(vs_span modulus, uint32_t exponent, vs_key **out, vs_error *err)
{
    VS_CLEANUP(vs_arena_free) vs_arena a;
    const uint8_t e[] = {(uint8_t)(exponent >> 24), (uint8_t)(exponent >> 16),
                         (uint8_t)(exponent >> 8), (uint8_t)exponent};
    size_t zeros = 0;
    vs_arena_init(&a, 0);
    while (zeros < 3 && e[zeros] == 0)
        zeros++;
    vs_obj o = {.a = &a};
    vs_obj_put(&o, "kty", vs_cstring("RSA"));
    vs_obj_put(
        &o, "e",
        vs_string(vs_b64_encode_arena(&a, VS_B64_URL, vs_span_of(e + zeros, sizeof e - zeros))));
    vs_obj_put(&o, "n", vs_string(vs_b64_encode_arena(&a, VS_B64_URL, modulus)));
    return vs_key_from_jwk(vs_obj_end(&o, VS_DUP_REFUSE, NULL), false, true, out, NULL, err);
}

vs_code tpm_public_parse(vs_span in, vs_key **out, vs_error *err)
{
    vs_cursor c = vs_cursor_of(in, err);
    c = vs_cursor_of(vs_cursor_take(&c, be_u16(&c)), err);
    uint16_t type = be_u16(&c);
    if (c.code == VS_OK && type != ALG_RSA)
        return vs_fail(err, VS_E_UNSUPPORTED, "the key is not an RSA key (type 0x%x)", type);
    (void)vs_cursor_take(&c, 2 + 4);      /* algorithm of its name, attributes */
    (void)vs_cursor_take(&c, be_u16(&c)); /* policy */
    if (be_u16(&c) != ALG_NULL)
        (void)vs_cursor_take(&c, 2 + 2); /* symmetric cipher: size and mode */
    if (be_u16(&c) != ALG_NULL)
        (void)vs_cursor_take(&c, 2); /* the scheme's hash */
    (void)be_u16(&c);                /* bits */
    uint32_t exponent = be_u32(&c);
    vs_span modulus = vs_cursor_take(&c, be_u16(&c));
    VS_TRY_WRAP(vs_cursor_end(&c), err, "public part of a key");
    VS_TRY(make_key(modulus, exponent ? exponent : 65537, out, err));
    return VS_OK;
}

vs_code tpm_read_key(int fd, uint32_t handle, vs_key **out, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf body = VS_BUF(16), answer = VS_BUF(TPM_ANSWER_MAX);
    tpm_put_be(&body, handle, 4);
    VS_TRY(tpm_transact(fd, TPM_NO_SESSIONS, READ_PUBLIC, vs_buf_span(&body), &answer, err));
    return tpm_public_parse(vs_span_from(vs_buf_span(&answer), HEAD), out, err);
}

/* ---- quotes and registers -------------------------------------------------------------------- */

vs_code tpm_get_quote(int fd, uint32_t handle, vs_span nonce, uint32_t pcrs, vs_buf *message,
                      vs_buf *signature, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf body = VS_BUF(256), answer = VS_BUF(TPM_ANSWER_MAX);
    tpm_put_be(&body, handle, 4);
    tpm_put_password(&body);
    tpm_put_be(&body, nonce.n, 2);
    vs_buf_put(&body, nonce);
    tpm_put_be(&body, ALG_RSASSA, 2);
    tpm_put_be(&body, ALG_SHA256, 2);
    put_selection(&body, pcrs);
    VS_TRY(vs_buf_check(&body, err));
    VS_TRY(tpm_transact(fd, TPM_SESSIONS, QUOTE, vs_buf_span(&body), &answer, err));
    vs_cursor c = vs_cursor_of(vs_span_from(vs_buf_span(&answer), HEAD), err);
    vs_cursor p = vs_cursor_of(vs_cursor_take(&c, be_u32(&c)), err); /* a session follows */
    VS_TRY(c.code);
    vs_buf_put(message, vs_cursor_take(&p, be_u16(&p)));
    vs_buf_put(signature, vs_cursor_take(&p, vs_cursor_left(&p)));
    VS_TRY(vs_cursor_end(&p));
    VS_TRY(vs_buf_check(message, err));
    return vs_buf_check(signature, err);
}

vs_code tpm_pcrs_parse(vs_span in, unsigned from, tpm_pcrs *out, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf selection = VS_BUF(16);
    vs_cursor c = vs_cursor_of(in, err);
    put_selection(&selection, 0xffu << from);
    (void)be_u32(&c); /* how often registers were changed */
    vs_span got = vs_cursor_take(&c, selection.n);
    uint32_t n = be_u32(&c);
    VS_TRY(c.code);
    if (!vs_span_eq(got, vs_buf_span(&selection)) || n != PCRS_AT_ONCE)
        return vs_fail(err, VS_E_INVALID,
                       "the TPM has no SHA-256 bank of registers %u to %u that is whole", from,
                       from + PCRS_AT_ONCE - 1);
    for (unsigned i = 0; i < PCRS_AT_ONCE; i++) {
        vs_span v = vs_cursor_take(&c, be_u16(&c));
        VS_TRY(c.code);
        if (v.n != TPM_PCR_SIZE)
            return vs_fail(err, VS_E_INVALID, "PCR %u has %zu bytes", from + i, v.n);
        memcpy(out->value[from + i], v.p, TPM_PCR_SIZE);
    }
    return vs_cursor_end(&c);
}

vs_code tpm_read_pcrs(int fd, tpm_pcrs *out, vs_error *err)
{
    for (unsigned from = 0; from < TPM_PCRS; from += PCRS_AT_ONCE) {
        VS_CLEANUP(vs_buf_free) vs_buf body = VS_BUF(32), answer = VS_BUF(TPM_ANSWER_MAX);
        put_selection(&body, 0xffu << from);
        VS_TRY(tpm_transact(fd, TPM_NO_SESSIONS, PCR_READ, vs_buf_span(&body), &answer, err));
        VS_TRY_WRAP(tpm_pcrs_parse(vs_span_from(vs_buf_span(&answer), HEAD), from, out, err), err,
                    "reading PCRs");
    }
    return VS_OK;
}

vs_code tpm_extend(int fd, unsigned pcr, const uint8_t digest[TPM_PCR_SIZE], vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf body = VS_BUF(128), answer = VS_BUF(TPM_ANSWER_MAX);
    tpm_put_be(&body, pcr, 4);
    tpm_put_password(&body);
    tpm_put_be(&body, 1, 4);
    tpm_put_be(&body, ALG_SHA256, 2);
    vs_buf_put(&body, vs_span_of(digest, TPM_PCR_SIZE));
    /* Not given up when the caller leaves: whether it was done would not be known. */
    vs_wait before = vs_wait_set((vs_wait){0});
    vs_code code = tpm_transact(fd, TPM_SESSIONS, PCR_EXTEND, vs_buf_span(&body), &answer, err);
    (void)vs_wait_set(before);
    return code;
}
