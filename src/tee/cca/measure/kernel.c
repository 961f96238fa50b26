/* SPDX-License-Identifier: Apache-2.0 */
#include "tee/cca/measure/kernel.h"

#include <limits.h>

#include <zlib.h>

/* ---- header -----------------------------------------------------------------------------------
 */

enum { TEXT_OFFSET = 8, IMAGE_SIZE = 16, MAGIC = 56 };
/* Far beyond any kernel, and far below what could overflow an address. */
static const uint64_t TEXT_OFFSET_END = UINT64_C(1) << 30, IMAGE_SIZE_MAX = UINT64_C(1) << 32;

static uint64_t get64(const uint8_t *p)
{
    uint64_t v = 0;
    for (unsigned i = 8; i-- > 0;)
        v = v << 8 | p[i];
    return v;
}

static vs_code no_image(vs_span head, vs_error *err)
{
    if (cca_is_gzip(head))
        return vs_fail(err, VS_E_INVALID,
                       "a gzip file, which only QEMU unpacks: gunzip it, as must be done for the "
                       "VMM itself");
    if (vs_span_starts(head, VS_LIT("MZ")))
        return vs_fail(
            err, VS_E_INVALID,
            "an EFI program, but no arm64 Linux Image (it may be a compressed vmlinuz.efi; "
            "the VMM loads arch/arm64/boot/Image)");
    if (vs_span_starts(head, VS_LIT("\x7f"
                                    "ELF")))
        return vs_fail(err, VS_E_INVALID, "an ELF file: the VMM loads arch/arm64/boot/Image");
    return vs_fail(err, VS_E_INVALID, "no arm64 Linux Image: \"ARM\\x64\" is not at offset 56");
}

vs_code cca_kernel_header(vs_span head, cca_kernel *out, vs_error *err)
{
    if (head.n < CCA_KERNEL_HEADER || memcmp(head.p + MAGIC, "ARM\x64", 4) != 0)
        return no_image(head, err);
    cca_kernel k = {.text_offset = get64(head.p + TEXT_OFFSET),
                    .image_size = get64(head.p + IMAGE_SIZE)};
    if (k.image_size == 0)
        return vs_fail(err, VS_E_UNSUPPORTED,
                       "the header's image_size is 0 (Linux before 3.17): where such a kernel is "
                       "loaded is not defined");
    if (k.text_offset >= TEXT_OFFSET_END || k.image_size > IMAGE_SIZE_MAX)
        return vs_fail(err, VS_E_INVALID,
                       "the header's text_offset 0x%llx or image_size 0x%llx is absurd",
                       (unsigned long long)k.text_offset, (unsigned long long)k.image_size);
    *out = k;
    return VS_OK;
}

vs_code cca_kernel_read(const cca_source *s, cca_kernel *out, vs_error *err)
{
    uint8_t head[CCA_KERNEL_HEADER];
    size_t n = s->size < sizeof head ? (size_t)s->size : sizeof head;
    VS_TRY_WRAP(s->read(s->self, 0, head, n, err), err, "kernel");
    VS_TRY_WRAP(cca_kernel_header(vs_span_of(head, n), out, err), err, "kernel");
    return VS_OK;
}

/* ---- gzip -------------------------------------------------------------------------------------
 */

bool cca_is_gzip(vs_span head)
{
    return vs_span_starts(head, VS_LIT("\x1f\x8b"));
}

static void end(z_stream *z)
{
    (void)inflateEnd(z);
}

static vs_code broken(const z_stream *z, int status, vs_error *err)
{
    if (status == Z_MEM_ERROR)
        return vs_fail(err, VS_E_NOMEM, "out of memory for gzip");
    if (status == Z_BUF_ERROR)
        return vs_fail(err, VS_E_PARSE, "gzip data ends early, after %lu bytes", z->total_in);
    return vs_fail(err, VS_E_PARSE, "gzip data is broken at byte %lu: %s", z->total_in,
                   z->msg ? z->msg : "bad data");
}

vs_code cca_gunzip(vs_span in, vs_buf *out, vs_error *err)
{
    enum { CHUNK = 256 * 1024, GZIP_ONLY = 16 };
    VS_CLEANUP(end) z_stream z = {0};
    if (in.n > UINT_MAX)
        return vs_fail(err, VS_E_LIMIT, "gzip file of %zu bytes", in.n);
    z.next_in = (z_const Bytef *)in.p;
    z.avail_in = (uInt)in.n;
    int status = inflateInit2(&z, MAX_WBITS + GZIP_ONLY);
    if (status != Z_OK)
        return broken(&z, status, err);
    while (status != Z_STREAM_END) {
        size_t left = out->cap - out->n;
        uint8_t chunk[CHUNK];
        z.next_out = chunk;
        z.avail_out = CHUNK;
        status = inflate(&z, Z_NO_FLUSH);
        if (status != Z_OK && status != Z_STREAM_END)
            return broken(&z, status, err);
        size_t got = CHUNK - z.avail_out;
        if (got > left)
            return vs_fail(err, VS_E_LIMIT, "unpacks to more than %zu bytes", out->cap);
        vs_buf_put(out, vs_span_of(chunk, got));
        VS_TRY(vs_buf_check(out, err));
    }
    if (z.avail_in)
        return vs_fail(err, VS_E_INVALID, "%u bytes follow the gzip data", z.avail_in);
    return VS_OK;
}
