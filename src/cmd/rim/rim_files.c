/* SPDX-License-Identifier: Apache-2.0 */
/* Files that are measured, and what options say of the host. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "cmd/rim/rim_tool.h"
#include "tee/cca/measure/kernel.h"

/* ---- inputs -----------------------------------------------------------------------------------
 */

void rim_close(rim_input *in)
{
    if (in->fd > 2)
        (void)close(in->fd);
    in->fd = -1;
    vs_buf_free(&in->memory);
}

static vs_code read_file_part(const void *self, uint64_t at, uint8_t *to, size_t n, vs_error *err)
{
    const rim_input *in = self;
    while (n) {
        ssize_t got = pread(in->fd, to, n, (off_t)at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return vs_fail_errno(err, VS_E_IO, errno, "cannot read");
        if (got == 0)
            return vs_fail(err, VS_E_IO, "became shorter while it was read");
        to += got;
        at += (uint64_t)got;
        n -= (size_t)got;
    }
    return VS_OK;
}

/* A pipe, or what is to be unpacked: all of it in memory. */
static vs_code into_memory(rim_input *in, vs_error *err)
{
    VS_TRY(vs_read_fd(in->fd, &in->memory, err));
    in->source = cca_source_of(vs_buf_span(&in->memory));
    return VS_OK;
}

static vs_code unpack(rim_input *in, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf packed = VS_BUF(RIM_MEMORY_MAX);
    uint8_t head[2];
    if (in->source.size < sizeof head)
        return VS_OK;
    VS_TRY(in->source.read(in->source.self, 0, head, sizeof head, err));
    if (!cca_is_gzip(vs_span_of(head, sizeof head)))
        return VS_OK;
    if (!in->memory.p)
        VS_TRY(into_memory(in, err));
    packed = in->memory;
    in->memory = (vs_buf)VS_BUF(RIM_MEMORY_MAX);
    VS_TRY(cca_gunzip(vs_buf_span(&packed), &in->memory, err));
    in->source = cca_source_of(vs_buf_span(&in->memory));
    return VS_OK;
}

static vs_code open_input(const char *path, bool gunzip, rim_input *out, vs_error *err)
{
    struct stat st;
    out->fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (out->fd < 0 || fstat(out->fd, &st) != 0)
        return vs_fail_errno(err, errno == ENOENT ? VS_E_NOT_FOUND : VS_E_IO, errno, "cannot open");
    if (S_ISREG(st.st_mode))
        out->source = (cca_source){(uint64_t)st.st_size, read_file_part, out};
    else
        VS_TRY(into_memory(out, err));
    if (out->source.size == 0)
        return vs_fail(err, VS_E_INVALID, "is empty");
    return gunzip ? unpack(out, err) : VS_OK;
}

vs_code rim_open(const char *path, bool gunzip, rim_input *out, vs_error *err)
{
    VS_TRY_WRAP(open_input(path, gunzip, out, err), err, "%s", path);
    return VS_OK;
}

/* ---- options ----------------------------------------------------------------------------------
 */

vs_code rim_number(const char *option, const char *text, uint64_t most, uint64_t fallback,
                   uint64_t *out, vs_error *err)
{
    *out = fallback;
    if (text && !vs_span_number(vs_str(text), most, out))
        return vs_fail(err, VS_E_INVALID, "--%s %s: must be a number from 0 to %llu", option, text,
                       (unsigned long long)most);
    return VS_OK;
}

vs_code rim_hash(const char *text, vs_hash *out, vs_error *err)
{
    *out = text ? vs_hash_of_name(vs_str(text)) : VS_HASH_NONE;
    if (text && *out != VS_SHA256 && *out != VS_SHA384 && *out != VS_SHA512)
        return vs_fail(err, VS_E_INVALID, "--hash %s: must be sha256, sha384 or sha512", text);
    return VS_OK;
}

static vs_code host_of(const char *name, cca_host *out, vs_error *err)
{
    VS_CLEANUP(vs_arena_free) vs_arena a;
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(64 * 1024);
    vs_arena_init(&a, 0);
    if (cca_host_named(vs_str(name), out))
        return VS_OK;
    vs_code code = vs_read_file(name, &text, err);
    if (code == VS_E_NOT_FOUND)
        return vs_fail(err, code, "--host %s: neither a file nor one of %s", name, cca_host_names);
    VS_TRY(code);
    VS_TRY_WRAP(cca_host_parse(&a, vs_buf_span(&text), out, err), err, "--host %s", name);
    return VS_OK;
}

vs_code rim_host(const rim_cli *o, cca_host *out, vs_error *err)
{
    const struct {
        const char *option, *key, *text;
    } single[] = {
        {"ipa-bits", "ipa_bits", o->ipa_bits}, {"num-bps", "num_bps", o->num_bps},
        {"num-wps", "num_wps", o->num_wps},    {"pmu-num-ctrs", "pmu_num_ctrs", o->pmu_num_ctrs},
        {"sve-vl", "sve_vl", o->sve_vl},       {"lpa2", "lpa2", o->lpa2},
    };
    cca_host h = CCA_HOST_NOTHING, other;
    for (size_t i = 0; i < o->hosts.n; i++) {
        VS_TRY(host_of(o->hosts.items[i], &other, err));
        cca_host_restrict(&h, &other);
    }
    for (size_t i = 0; i < VS_COUNT(single); i++)
        if (single[i].text)
            VS_TRY_WRAP(cca_host_set(&h, single[i].key, vs_str(single[i].text), err), err, "--%s",
                        single[i].option);
    *out = h;
    return VS_OK;
}
