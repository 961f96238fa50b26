/* SPDX-License-Identifier: Apache-2.0 */
/* Files that a realm's measurement begins with: devicetrees, kernels, descriptions of hosts and
 * realms; broken, absurd and hostile ones. */
#include "tee/rim_inputs.h"

#include <zlib.h>

#include "tee/cca/measure/describe.h"
#include "tee/cca/measure/fdt.h"
#include "tee/cca/measure/kernel.h"
#include "tee/cca/measure/vmm.h"

/* QEMU's. */
static vs_span some_dtb(void)
{
    cca_vmm_config c = {.vmm = CCA_QEMU, .host = {52, 6, 6, 6, 0, 0, 0}};
    cca_plan p;
    assert_vs_ok(cca_plan_make(&c, &p, &err), &err);
    vs_span dtb = vs_dup(&arena, vs_buf_span(&p.dtb));
    cca_plan_free(&p);
    return dtb;
}

/* ---- devicetrees ------------------------------------------------------------------------------
 */

static void assert_bad_dtb(vs_span dtb, const char *says)
{
    err = (vs_error){0};
    assert_int_not_equal(fdt_check(dtb, &err), VS_OK);
    if (!strstr(vs_error_at(&err, 0), says))
        fail_msg("\"%s\" does not say \"%s\"", vs_error_at(&err, 0), says);
}

static void broken_devicetrees_are_refused(void **state)
{
    (void)state;
    vs_span good = some_dtb();
    uint8_t *p = vs_alloc(&arena, good.n + 8);
#define FRESH()                                                                                    \
    do {                                                                                           \
        memcpy(p, good.p, good.n);                                                                 \
        memset(p + good.n, 0, 8);                                                                  \
    } while (0)
    FRESH();
    assert_vs_ok(fdt_check(vs_span_of(p, good.n + 8), &err), &err); /* zeros behind are padding */
    p[good.n + 7] = 1;
    assert_bad_dtb(vs_span_of(p, good.n + 8), "behind is not zero");
    FRESH();
    p[0] = 0xd1;
    assert_bad_dtb(vs_span_of(p, good.n), "its magic is 0xd10dfeed");
    FRESH();
    p[5]++; /* totalsize */
    assert_bad_dtb(vs_span_of(p, good.n), "totalsize");
    FRESH();
    memset(p + 4, 0, 4);
    assert_bad_dtb(vs_span_of(p, good.n), "totalsize is 0");
    FRESH();
    p[8] = 0xff;
    assert_bad_dtb(vs_span_of(p, good.n), "structure block");
    FRESH();
    memset(p + 12, 0xff, 4);
    assert_bad_dtb(vs_span_of(p, good.n), "strings block");
    FRESH();
    memset(p + 36, 0xff, 4);
    assert_bad_dtb(vs_span_of(p, good.n), "structure block");
    FRESH();
    p[23] = 16; /* version */
    assert_bad_dtb(vs_span_of(p, good.n), "need 17");
    FRESH();
    p[59] = 5; /* the first token */
    assert_bad_dtb(vs_span_of(p, good.n), "structure block is broken at 0");
    FRESH();
    p[59] = 2;
    assert_bad_dtb(vs_span_of(p, good.n), "token 2 at 0 does not fit depth 0");
    FRESH();
    memset(p + 68, 0xff, 4); /* length of the first property */
    assert_bad_dtb(vs_span_of(p, good.n), "broken at 8");
    FRESH();
    memset(p + 72, 0xff, 4); /* where its name is */
    assert_bad_dtb(vs_span_of(p, good.n), "broken at 8");
    assert_bad_dtb(nothing, "0 bytes are no devicetree");
    assert_bad_dtb(VS_LIT("\xd0\x0d\xfe\xed"), "4 bytes are no devicetree");
#undef FRESH
    for (size_t n = 0; n < good.n; n++) /* cut at every byte */
        assert_int_not_equal(fdt_check(vs_dup(&arena, vs_span_head(good, n)), &err), VS_OK);
}

static void a_devicetree_that_nests_without_end_is_refused(void **state)
{
    (void)state;
    VS_CLEANUP(vs_buf_free) vs_buf out = VS_BUF(1 << 20);
    fdt_writer w = FDT_WRITER;
    for (int i = 0; i < 1000; i++)
        fdt_begin(&w, "");
    for (int i = 0; i < 1000; i++)
        fdt_end(&w);
    assert_vs_ok(fdt_finish(&w, &out, &err), &err);
    fdt_free(&w);
    assert_bad_dtb(vs_buf_span(&out), "does not fit depth 32");
}

/* ---- kernels ----------------------------------------------------------------------------------
 */

static void assert_bad_kernel(vs_span in, const char *says)
{
    cca_kernel k;
    assert_int_not_equal(cca_kernel_header(in, &k, &err), VS_OK);
    if (!strstr(vs_error_at(&err, 0), says))
        fail_msg("\"%s\" does not say \"%s\"", vs_error_at(&err, 0), says);
}

static void kernel_headers_are_read_and_checked(void **state)
{
    (void)state;
    cca_kernel k;
    vs_span good = image_of(64, 0x80000, 0x2c80000);
    assert_vs_ok(cca_kernel_header(good, &k, &err), &err);
    assert_int_equal(k.text_offset, 0x80000);
    assert_int_equal(k.image_size, 0x2c80000);
    for (size_t n = 0; n < 64; n++)
        assert_int_not_equal(cca_kernel_header(vs_dup(&arena, vs_span_head(good, n)), &k, &err),
                             VS_OK);
    assert_bad_kernel(image_of(64, 0, 0), "before 3.17");
    assert_bad_kernel(image_of(64, UINT64_MAX, 4096), "absurd");
    assert_bad_kernel(image_of(64, 1 << 30, 4096), "absurd");
    assert_bad_kernel(image_of(64, 0, UINT64_MAX), "absurd");
    assert_bad_kernel(VS_LIT("\x1f\x8b\x08"), "gunzip it");
    assert_bad_kernel(VS_LIT("\x7f"
                             "ELF"),
                      "an ELF file");
    assert_bad_kernel(VS_LIT("MZ"), "an EFI program");
    assert_bad_kernel(VS_LIT("some text"), "no arm64 Linux Image");
}

static vs_span gzip_of(vs_span in)
{
    z_stream z = {0};
    size_t room = in.n + 1000;
    uint8_t *out = vs_alloc(&arena, room);
    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_in = (z_const Bytef *)in.p;
    z.avail_in = (uInt)in.n;
    z.next_out = out;
    z.avail_out = (uInt)room;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    vs_span packed = vs_span_of(out, z.total_out);
    (void)deflateEnd(&z);
    return packed;
}

static vs_code unpack(vs_span in, size_t most)
{
    VS_CLEANUP(vs_buf_free) vs_buf out = VS_BUF(most);
    return cca_gunzip(in, &out, &err);
}

static void gzip_is_unpacked_whole_or_not_at_all(void **state)
{
    (void)state;
    VS_CLEANUP(vs_buf_free) vs_buf out = VS_BUF(1 << 20);
    vs_span kernel = image_of(600000, 0, 1 << 20), packed = gzip_of(kernel);
    assert_true(cca_is_gzip(packed));
    assert_vs_ok(cca_gunzip(packed, &out, &err), &err);
    assert_span_eq(vs_buf_span(&out), kernel);
    assert_vs_code(unpack(packed, 599999), VS_E_LIMIT);
    for (size_t n = 0; n < packed.n; n++)
        assert_vs_code(unpack(vs_dup(&arena, vs_span_head(packed, n)), 1 << 20), VS_E_PARSE);
    assert_non_null(strstr(vs_error_at(&err, 0), "ends early"));
    uint8_t *p = vs_alloc(&arena, packed.n + 1);
    memcpy(p, packed.p, packed.n);
    p[packed.n] = 0;
    assert_vs_code(unpack(vs_span_of(p, packed.n + 1), 1 << 20), VS_E_INVALID);
    p[packed.n - 6] ^= 1; /* the checksum */
    assert_vs_code(unpack(vs_span_of(p, packed.n), 1 << 20), VS_E_PARSE);
}

/* ---- hosts ------------------------------------------------------------------------------------
 */

static void assert_bad_host(const char *toml, const char *says)
{
    cca_host h;
    assert_int_not_equal(cca_host_parse(&arena, vs_str(toml), &h, &err), VS_OK);
    if (!strstr(vs_error_at(&err, 0), says))
        fail_msg("%s: \"%s\" does not say \"%s\"", toml, vs_error_at(&err, 0), says);
}

static void host_files_are_read_and_checked(void **state)
{
    (void)state;
    cca_host h, fvp;
    assert_true(cca_host_named(VS_LIT("fvp"), &fvp));
    assert_false(cca_host_named(VS_LIT("fv"), &h));
    assert_vs_ok(cca_host_parse(&arena,
                                VS_LIT("# comment\nipa_bits = 52\nnum_bps = 16\nnum_wps = 16\n"
                                       "pmu_num_ctrs = 8\nsve_vl = 512\npmu = true\nlpa2 = true\n"),
                                &h, &err),
                 &err);
    assert_memory_equal(&h, &fvp, sizeof h);
    assert_vs_ok(cca_host_parse(&arena, nothing, &h, &err), &err);
    assert_int_equal(h.num_bps, CCA_HOST_UNKNOWN);
    assert_bad_host("num_bps = 1", "num_bps is 1, must be 2 to 64");
    assert_bad_host("num_bps = 65", "must be 2 to 64");
    assert_bad_host("num_wps = -1", "must be 2 to 64");
    assert_bad_host("num_wps = 9223372036854775807", "must be 2 to 64");
    assert_bad_host("num_wps = 2.5", "whole number");
    assert_bad_host("num_wps = true", "whole number");
    assert_bad_host("pmu = 1", "true or false");
    assert_bad_host("pmu_num_ctrs = 32", "must be 0 to 31");
    assert_bad_host("ipa_bits = 53", "must be 20 to 52");
    assert_bad_host("sve_vl = 272", "power of two");
    assert_bad_host("sve_vl = 4096", "must be 0 to 2048");
    assert_bad_host("sve_vl = 64", "power of two");
    assert_bad_host("num_pbs = 2", "\"num_pbs\" is no capability");
    assert_bad_host("num_bps", "line 1");
}

static void capabilities_are_lowered_never_raised(void **state)
{
    (void)state;
    cca_host h, kvm, rmm;
    cca_realm_params p = {0};
    assert_true(cca_host_named(VS_LIT("fvp"), &h));
    assert_true(cca_host_named(VS_LIT("kvm"), &kvm));
    assert_true(cca_host_named(VS_LIT("rmm-1.0-eac5"), &rmm));
    cca_host_restrict(&h, &kvm);
    cca_host_restrict(&h, &rmm);
    assert_int_equal(h.num_bps, 2);
    assert_int_equal(h.lpa2, 0);
    assert_int_equal(h.sve_vl, 512);
    assert_true(cca_host_named(VS_LIT("fvp"), &rmm));
    cca_host_restrict(&h, &rmm);
    assert_int_equal(h.num_bps, 2);
    assert_vs_ok(cca_host_params(&h, 0, &p, &err), &err);
    assert_int_equal(p.flags, CCA_REALM_SVE | CCA_REALM_PMU);
    assert_int_equal(p.sve_vl, 3);
    assert_int_equal(p.num_bps, 1);
    assert_int_equal(p.pmu_num_ctrs, 8);
    assert_vs_ok(cca_host_set(&h, "sve_vl", VS_LIT("0"), &err), &err);
    assert_vs_ok(cca_host_set(&h, "pmu", VS_LIT("false"), &err), &err);
    assert_vs_ok(cca_host_params(&h, 0, &p, &err), &err);
    assert_int_equal(p.flags, 0);
    assert_int_equal(p.pmu_num_ctrs, 0);
    assert_vs_ok(cca_host_params(&h, CCA_REALM_DA, &p, &err), &err);
    assert_int_equal(p.flags, CCA_REALM_DA);
    assert_vs_code(cca_host_params(&h, CCA_REALM_SVE, &p, &err), VS_E_INVALID);
    assert_vs_code(cca_host_set(&h, "pmu", VS_LIT("1"), &err), VS_E_INVALID);
    assert_vs_code(cca_host_set(&h, "num_bps", VS_LIT("two"), &err), VS_E_INVALID);
    assert_vs_code(cca_host_set(&h, "nope", VS_LIT("2"), &err), VS_E_INVALID);
}

/* ---- descriptions -----------------------------------------------------------------------------
 */

#define HEAD "hash = 'sha256'\nrmm = '1.0'\n[realm]\nipa_bits = 48\nnum_bps = 2\nnum_wps = 2\n"

static void a_description_is_the_image_that_it_describes(void **state)
{
    (void)state;
    cca_description d;
    cca_rim r;
    vs_val want;
    need_shared("data/cca/rim/rim-kat.json");
    assert_vs_ok(vs_json_parse(&arena, shared_file("data/cca/rim/rim-kat.json"), NULL, &want, &err),
                 &err);
    assert_vs_ok(cca_description_parse(&arena, VS_LIT(HEAD), &d, &err), &err);
    assert_vs_ok(cca_image_measure(&d.image, NULL, &r, &err), &err);
    assert_span_eq(vs_hex_encode_arena(&arena, cca_rim_span(&r)),
                   vs_text(vs_getc(vs_getc(want, "realm-create-only"), "sha256")));
    assert_vs_ok(
        cca_description_parse(
            &arena,
            VS_LIT(HEAD "[[ram]]\nbase = 0x40000000\nsize = 0x400000\n"
                        "[[rom]]\nbase = 0\nsize = 4096\n"
                        "[[data]]\naddress = 0x40000000\nfile = 'Image'\nkernel = true\n"
                        "[[data]]\naddress = '0x40300000'\nfile = 'x'\n"
                        "[[unmeasured]]\nbase = 0x40301000\nsize = 0x1000\n"
                        "[[rec]]\npc = '0xFFFFFFFF80000000'\ngprs = [1, '18446744073709551615']\n"
                        "[[rec]]\npc = 1\nrunnable = false\n"),
            &d, &err),
        &err);
    assert_int_equal(d.n_files, 2);
    assert_true(d.image.recs[0].pc == 0xffffffff80000000 && d.image.recs[0].runnable);
    assert_true(d.image.recs[0].gprs[1] == UINT64_MAX && d.image.recs[0].gprs[0] == 1);
    assert_false(d.image.recs[1].runnable);
    assert_vs_ok(cca_description_add(&d, 0, "Image", source_of(image_of(5000, 0x1000, 8192)), &err),
                 &err);
    assert_vs_ok(cca_description_add(&d, 1, "x", source_of(VS_LIT("x")), &err), &err);
    assert_int_equal(d.image.blobs[0].ipa, 0x40001000);
    assert_int_equal(d.image.blobs[1].ipa, 0x40300000);
    assert_vs_ok(cca_image_measure(&d.image, NULL, &r, &err), &err);
    assert_vs_code(cca_description_add(&d, 0, "Image", source_of(VS_LIT("x")), &err), VS_E_INVALID);
}

static void descriptions_that_say_something_else_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
    } bad[] = {
        {"", "\"hash\" is missing"},
        {"hash = 'md5'\nrmm = '1.0'\n[realm]\n", "must be sha256"},
        {"hash = 'sha256'\nrmm = '3'\n[realm]\n", "must be 1.0, 1.1 or 2.0"},
        {"hash = 'sha256'\nrmm = '1.0'\n", "\"realm\" is missing"},
        {"hash = 'sha256'\nrmm = '1.0'\n[realm]\n", "ipa_bits is not known"},
        {HEAD "bps = 1", "no capability"},
        {"colour = 1\n" HEAD, "unknown key \"colour\""},
        {"flags = -1\n" HEAD, "\"flags\" must be a number"},
        {"ram = 1\n" HEAD, "\"ram\" must be an array"},
        {"ram = [1]\n" HEAD, "must be a table"},
        {HEAD "[[ram]]\nbase = 1\n", "\"size\" is missing"},
        {HEAD "[[ram]]\nbase = '0x'\nsize = 1\n", "\"base\" must be a number"},
        {HEAD "[[ram]]\nbase = '0x10000000000000000'\nsize = 1\n", "\"base\" must be a number"},
        {HEAD "[[ram]]\nbase = '1x'\nsize = 1\n", "\"base\" must be a number"},
        {HEAD "[[ram]]\nbase = \"0x\\u0010\"\nsize = 1\n", "\"base\" must be a number"},
        {HEAD "[[ram]]\nbase = 1\nsize = 1\nname = 'x'\n", "unknown key \"name\""},
        {HEAD "[[data]]\naddress = 1\n", "\"file\" is missing"},
        {HEAD "[[data]]\naddress = 1\nfile = ''\n", "no name of a file"},
        {HEAD "[[data]]\naddress = 1\nfile = \"a\\u0000b\"\n", "no name of a file"},
        {HEAD "[[rec]]\n", "\"pc\" is missing"},
        {HEAD "[[rec]]\npc = 1\ngprs = [1,2,3,4,5,6,7,8,9]\n", "9 registers"},
        {HEAD "[[rec]]\npc = 1\ngprs = [true]\n", "\"gprs\" must be a number"},
    };
    char text[VS_ERROR_TEXT];
    for (size_t i = 0; i < VS_COUNT(bad); i++) {
        cca_description d;
        assert_int_not_equal(cca_description_parse(&arena, vs_str(bad[i].text), &d, &err), VS_OK);
        if (!strstr(vs_error_text(&err, text, sizeof text), bad[i].says))
            fail_msg("%zu: \"%s\" does not say \"%s\"", i, text, bad[i].says);
    }
    VS_CLEANUP(vs_buf_free) vs_buf many = VS_BUF(1 << 16);
    vs_buf_puts(&many, HEAD);
    for (int i = 0; i <= CCA_RANGES_MAX; i++)
        vs_buf_puts(&many, "[[ram]]\nbase = 0\nsize = 4096\n");
    cca_description d;
    assert_vs_code(cca_description_parse(&arena, vs_buf_span(&many), &d, &err), VS_E_LIMIT);
}

/* Whatever memory there is, a description is read whole or refused. */
static void without_memory_a_description_is_refused(void **state)
{
    (void)state;
    unsigned read = 0, refused = 0;
    for (size_t cap = 64; cap <= 64 * 1024; cap *= 2) {
        VS_CLEANUP(vs_arena_free) vs_arena small;
        cca_description d;
        vs_arena_init(&small, cap);
        vs_code code = cca_description_parse(
            &small, VS_LIT(HEAD "[[ram]]\nbase = 0\nsize = 4096\n[[rec]]\npc = 1\n"), &d, &err);
        assert_true(code == VS_OK || code == VS_E_NOMEM);
        assert_true(code != VS_OK || (d.image.n_ram == 1 && d.image.n_recs == 1));
        read += code == VS_OK;
        refused += code != VS_OK;
    }
    assert_true(read > 0 && refused > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_arena(broken_devicetrees_are_refused),
        in_arena(a_devicetree_that_nests_without_end_is_refused),
        in_arena(kernel_headers_are_read_and_checked),
        in_arena(gzip_is_unpacked_whole_or_not_at_all),
        in_arena(host_files_are_read_and_checked),
        in_arena(capabilities_are_lowered_never_raised),
        in_arena(a_description_is_the_image_that_it_describes),
        in_arena(descriptions_that_say_something_else_are_refused),
        in_arena(without_memory_a_description_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
