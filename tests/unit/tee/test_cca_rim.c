/* SPDX-License-Identifier: Apache-2.0 */
/* Realm measurements: the known answers, then everything that is measured changes them, nothing
 * else does, and what no host can build is refused. */
#include "crypto/helpers.h"

#include "tee/cca/measure/image.h"

static const cca_realm_params plain = {
    .rmm = CCA_RMM_1_0, .hash = VS_SHA256, .s2sz = 48, .num_bps = 1, .num_wps = 1};

static void assert_value(vs_span got, vs_val want)
{
    assert_span_is(vs_hex_encode_arena(&arena, got),
                   vs_sprintf(&arena, "%.*s", VS_FMT(vs_text(want))));
}

static vs_val known_answers(void)
{
    vs_val v;
    need_shared("data/cca/rim/rim-kat.json");
    assert_vs_ok(vs_json_parse(&arena, shared_file("data/cca/rim/rim-kat.json"), NULL, &v, &err),
                 &err);
    return v;
}

/* ---- known answers ----------------------------------------------------------------------------
 */

static void creating_a_realm_gives_the_known_values(void **state)
{
    (void)state;
    vs_val want = vs_getc(known_answers(), "realm-create-only");
    cca_realm_params p = plain;
    cca_rim r;
    assert_vs_ok(cca_rim_create(&r, &p, &err), &err);
    assert_value(cca_rim_span(&r), vs_getc(want, "sha256"));
    p.hash = VS_SHA512;
    assert_vs_ok(cca_rim_create(&r, &p, &err), &err);
    assert_value(cca_rim_span(&r), vs_getc(want, "sha512"));
}

static void every_step_gives_the_known_value(void **state)
{
    (void)state;
    vs_val steps = vs_getc(known_answers(), "steps-rmm1x-sha256");
    const vs_val *want = steps.u.items;
    uint8_t page[CCA_GRANULE];
    cca_rec rec = {.runnable = true,
                   .pc = 0x40000000,
                   .gprs = {0x40100000, 0, 0, 0, 0, 0, 0, 0x1122334455667788}};
    cca_rim r;
    for (size_t i = 0; i < sizeof page; i++)
        page[i] = (uint8_t)i;
    assert_int_equal(steps.len, 5);
    assert_vs_ok(cca_rim_create(&r, &plain, &err), &err);
    assert_value(cca_rim_span(&r), want[0].u.items[1]);
    assert_vs_ok(cca_rim_ripas(&r, 0x40000000, 0x40200000, &err), &err);
    assert_value(cca_rim_span(&r), want[1].u.items[1]);
    assert_vs_ok(cca_rim_data(&r, 0x40000000, page, &err), &err);
    assert_value(cca_rim_span(&r), want[2].u.items[1]);
    assert_vs_ok(cca_rim_data(&r, 0x40001000, NULL, &err), &err);
    assert_value(cca_rim_span(&r), want[3].u.items[1]);
    assert_vs_ok(cca_rim_rec(&r, &rec, &err), &err);
    assert_value(cca_rim_span(&r), want[4].u.items[1]);
}

static void every_extension_gives_the_known_value(void **state)
{
    (void)state;
    vs_val steps = vs_getc(vs_getc(known_answers(), "rem-extend-sha256"), "steps");
    uint8_t rem[VS_HASH_MAX] = {0};
    for (VS_ARR_FOR (step, steps)) {
        vs_span data;
        assert_vs_ok(vs_hex_decode_arena(&arena, vs_text(step->u.items[0]), &data, &err), &err);
        assert_vs_ok(cca_rem_extend(VS_SHA256, rem, data, &err), &err);
        assert_value(vs_span_of(rem, 32), step->u.items[1]);
    }
}

static void an_extension_keeps_the_old_value_and_does_not_pad(void **state)
{
    (void)state;
    uint8_t a[VS_HASH_MAX] = {0}, b[VS_HASH_MAX] = {0}, want[VS_HASH_MAX], seventy[70] = {0};
    vs_span short_data = VS_LIT("x"), padded = vs_span_of("x\0", 2);
    for (vs_hash h = VS_SHA256; h <= VS_SHA512; h++) {
        assert_vs_ok(vs_digest(h, vs_span_of(a, vs_hash_size(h)), short_data, nothing, want, &err),
                     &err);
        assert_vs_ok(cca_rem_extend(h, a, short_data, &err), &err);
        assert_memory_equal(a, want, vs_hash_size(h));
        assert_vs_ok(cca_rem_extend(h, b, padded, &err), &err);
        assert_memory_not_equal(a, b, vs_hash_size(h));
        memset(a, 0, sizeof a);
        memset(b, 0, sizeof b);
    }
    assert_vs_ok(cca_rem_extend(VS_SHA256, a, vs_span_of(seventy, 64), &err), &err);
    assert_vs_code(cca_rem_extend(VS_SHA256, b, vs_span_of(seventy, 65), &err), VS_E_INVALID);
    for (size_t i = 0; i < sizeof b; i++)
        assert_int_equal(b[i], 0); /* nothing changed */
}

/* ---- translation table entries -----------------------------------------------------------------
 */

static void blocks_are_the_largest_that_the_tables_have(void **state)
{
    (void)state;
    const uint64_t K4 = 0x1000, M2 = 0x200000, G1 = 0x40000000, G512 = 0x8000000000;
    static const struct {
        uint8_t least, most;
        int levels;
    } widths[] = {{44, 52, 4}, {35, 43, 3}, {26, 34, 2}, {20, 25, 1}};
    const uint64_t sizes[] = {K4, M2, G1, G512};
    for (size_t i = 0; i < VS_COUNT(widths); i++)
        for (uint8_t s2sz = widths[i].least; s2sz <= widths[i].most; s2sz++)
            assert_int_equal(cca_ripas_block(s2sz, 0, UINT64_C(1) << 51),
                             sizes[widths[i].levels - 1]);
    assert_int_equal(cca_ripas_block(48, K4, G512), K4);
    assert_int_equal(cca_ripas_block(48, M2, M2 + M2 - K4), K4);
    assert_int_equal(cca_ripas_block(48, M2, 2 * M2), M2);
    assert_int_equal(cca_ripas_block(48, G1, 2 * G1 + M2), G1);
    assert_int_equal(cca_ripas_block(48, 2 * G1, 2 * G1 + M2), M2);
    assert_int_equal(cca_ripas_block(33, 2 * G1, 3 * G1), M2); /* no 1 GiB blocks at 33 bits */
}

static void rmm_2_0_measures_no_ripas(void **state)
{
    (void)state;
    cca_realm_params p = plain;
    cca_rim old, r;
    for (cca_rmm rmm = CCA_RMM_1_0; rmm <= CCA_RMM_2_0; rmm++) {
        p.rmm = rmm;
        assert_vs_ok(cca_rim_create(&r, &p, &err), &err);
        old = r;
        assert_vs_ok(cca_rim_ripas(&r, 0, 0x1000, &err), &err);
        assert_int_equal(memcmp(old.value, r.value, sizeof r.value) == 0, rmm == CCA_RMM_2_0);
    }
}

static void steps_refuse_what_the_rmm_refuses(void **state)
{
    (void)state;
    cca_rim r, old;
    assert_vs_ok(cca_rim_create(&r, &plain, &err), &err);
    old = r;
    assert_vs_code(cca_rim_ripas(&r, 0x800, 0x1000, &err), VS_E_INVALID);
    assert_vs_code(cca_rim_ripas(&r, 0, 0x1800, &err), VS_E_INVALID);
    assert_vs_code(cca_rim_ripas(&r, 0x1000, 0x1000, &err), VS_E_INVALID);
    assert_vs_code(cca_rim_data(&r, 0x1001, NULL, &err), VS_E_INVALID);
    assert_memory_equal(&old, &r, sizeof r);
    cca_rec idle = {.pc = 1};
    assert_vs_ok(cca_rim_rec(&r, &idle, &err), &err); /* not runnable: not measured */
    assert_memory_equal(&old, &r, sizeof r);
}

static void parameters_that_no_realm_has_are_refused(void **state)
{
    (void)state;
    static const struct {
        cca_realm_params p;
        const char *says;
    } bad[] = {
        {{CCA_RMM_1_0, VS_SHA384, 0, 48, 0, 1, 1, 0}, "sha-384 needs RMM 2.0"},
        {{CCA_RMM_1_1, VS_SHA384, 0, 48, 0, 1, 1, 0}, "sha-384 needs RMM 2.0"},
        {{CCA_RMM_2_0, VS_SM3, 0, 48, 0, 1, 1, 0}, "no hash of a realm"},
        {{CCA_RMM_2_0, VS_HASH_NONE, 0, 48, 0, 1, 1, 0}, "no hash of a realm"},
        {{CCA_RMM_1_0, VS_SHA256, CCA_REALM_DA, 48, 0, 1, 1, 0}, "does not define 0x8"},
        {{CCA_RMM_2_0, VS_SHA256, 0x10, 48, 0, 1, 1, 0}, "does not define 0x10"},
        {{CCA_RMM_2_0, VS_SHA256, 0, 19, 0, 1, 1, 0}, "s2sz"},
        {{CCA_RMM_2_0, VS_SHA256, 1, 53, 0, 1, 1, 0}, "s2sz"},
        {{CCA_RMM_2_0, VS_SHA256, 0, 49, 0, 1, 1, 0}, "needs LPA2"},
        {{CCA_RMM_1_0, VS_SHA256, 0, 48, 1, 1, 1, 0}, "sve_vl"},
        {{CCA_RMM_1_0, VS_SHA256, CCA_REALM_SVE, 48, 16, 1, 1, 0}, "sve_vl"},
        {{CCA_RMM_1_0, VS_SHA256, 0, 48, 0, 0, 1, 0}, "num_bps"},
        {{CCA_RMM_1_0, VS_SHA256, 0, 48, 0, 1, 64, 0}, "num_wps"},
        {{CCA_RMM_1_0, VS_SHA256, 0, 48, 0, 1, 1, 1}, "pmu_num_ctrs"},
        {{CCA_RMM_1_0, VS_SHA256, CCA_REALM_PMU, 48, 0, 1, 1, 32}, "pmu_num_ctrs"},
    };
    for (size_t i = 0; i < VS_COUNT(bad); i++) {
        cca_rim r;
        assert_vs_code(cca_rim_create(&r, &bad[i].p, &err), VS_E_INVALID);
        if (!strstr(vs_error_at(&err, 0), bad[i].says))
            fail_msg("%zu: \"%s\" does not say \"%s\"", i, vs_error_at(&err, 0), bad[i].says);
    }
}

/* ---- images -----------------------------------------------------------------------------------
 */

enum { RAM = 0x40000000, RAM_SIZE = 0x600000 };

static uint8_t kernel_bytes[9000], initrd_bytes[4096], log_bytes[8192];

static cca_image example(void)
{
    cca_image m = {.params = plain, .n_ram = 1, .n_unmeasured = 1, .n_recs = 2};
    m.params.hash = VS_SHA256;
    m.ram[0] = (cca_range){RAM, RAM_SIZE};
    m.unmeasured[0] = (cca_range){RAM + 0x500000, 0x2000};
    m.recs[0] = (cca_rec){.runnable = true, .pc = RAM, .gprs = {RAM + 0x100000}};
    m.recs[1] = (cca_rec){.pc = 7};
    for (size_t i = 0; i < sizeof kernel_bytes; i++)
        kernel_bytes[i] = (uint8_t)(i * 7);
    memset(initrd_bytes, 0x5a, sizeof initrd_bytes);
    assert_vs_ok(cca_image_add_blob(&m, "initrd", RAM + 0x200004,
                                    cca_source_of(vs_span_of(initrd_bytes, 4000)), &err),
                 &err);
    assert_vs_ok(cca_image_add_blob(&m, "kernel", RAM,
                                    cca_source_of(vs_span_of(kernel_bytes, sizeof kernel_bytes)),
                                    &err),
                 &err);
    return m;
}

static cca_rim measure(const cca_image *m)
{
    cca_rim r;
    assert_vs_ok(cca_image_measure(m, NULL, &r, &err), &err);
    return r;
}

static void put_step(void *self, const cca_step *s)
{
    vs_buf *out = self;
    cca_step_text(out, s);
    vs_buf_putc(out, '\n');
}

static void an_image_is_measured_in_the_hosts_order(void **state)
{
    (void)state;
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(1 << 20);
    cca_image m = example();
    cca_rim r, by_hand;
    uint8_t page[CCA_GRANULE] = {0};
    assert_vs_ok(cca_image_measure(&m, &(cca_trace){put_step, &text}, &r, &err), &err);
    assert_span_is(vs_buf_span(&text),
                   "RMI_REALM_CREATE flags=0x0 s2sz=48 sve_vl=0 num_bps=1 num_wps=1 pmu_num_ctrs=0 "
                   "hash=sha-256\n"
                   "RMI_RTT_INIT_RIPAS base=0x40000000 top=0x40200000\n"
                   "RMI_RTT_INIT_RIPAS base=0x40200000 top=0x40400000\n"
                   "RMI_RTT_INIT_RIPAS base=0x40400000 top=0x40600000\n"
                   "RMI_DATA_CREATE ipa=0x40000000 measured (kernel)\n"
                   "RMI_DATA_CREATE ipa=0x40001000 measured (kernel)\n"
                   "RMI_DATA_CREATE ipa=0x40002000 measured (kernel)\n"
                   "RMI_DATA_CREATE ipa=0x40200000 measured (initrd)\n"
                   "RMI_REC_CREATE flags=1 pc=0x40000000 x0=0x40100000\n"
                   "RMI_DATA_CREATE ipa=0x40500000 unmeasured (unmeasured range)\n"
                   "RMI_DATA_CREATE ipa=0x40501000 unmeasured (unmeasured range)\n");
    /* The same by the single commands. */
    assert_vs_ok(cca_rim_create(&by_hand, &m.params, &err), &err);
    for (uint64_t at = RAM; at < RAM + RAM_SIZE; at += 0x200000)
        assert_vs_ok(cca_rim_ripas(&by_hand, at, at + 0x200000, &err), &err);
    assert_vs_ok(cca_rim_data(&by_hand, RAM, kernel_bytes, &err), &err);
    assert_vs_ok(cca_rim_data(&by_hand, RAM + 4096, kernel_bytes + 4096, &err), &err);
    memcpy(page, kernel_bytes + 8192, sizeof kernel_bytes - 8192);
    assert_vs_ok(cca_rim_data(&by_hand, RAM + 8192, page, &err), &err);
    memset(page, 0, sizeof page);
    memset(page + 4, 0x5a, 4000);
    assert_vs_ok(cca_rim_data(&by_hand, RAM + 0x200000, page, &err), &err);
    assert_vs_ok(cca_rim_rec(&by_hand, &m.recs[0], &err), &err);
    assert_vs_ok(cca_rim_data(&by_hand, RAM + 0x500000, NULL, &err), &err);
    assert_vs_ok(cca_rim_data(&by_hand, RAM + 0x501000, NULL, &err), &err);
    assert_memory_equal(&by_hand, &r, sizeof r);
}

static void assert_changes(const cca_image *m, const cca_rim *from, const char *what)
{
    cca_rim r;
    vs_code code = cca_image_measure(m, NULL, &r, &err);
    if (code == VS_OK && memcmp(r.value, from->value, sizeof r.value) == 0)
        fail_msg("%s does not count", what);
}

/* All bits of all contents. */
static void every_bit_of_what_is_loaded_counts(void **state)
{
    (void)state;
    cca_image m = example();
    m.ram[0].size = 0x600000;
    cca_rim from = measure(&m);
    for (size_t bit = 0; bit < 4000 * 8; bit += 3) {
        flip(initrd_bytes, bit);
        assert_changes(&m, &from, "a bit of the initrd");
        flip(initrd_bytes, bit);
    }
    for (size_t bit = 0; bit < sizeof kernel_bytes * 8; bit += 7) {
        flip(kernel_bytes, bit);
        assert_changes(&m, &from, "a bit of the kernel");
        flip(kernel_bytes, bit);
    }
    assert_memory_equal(measure(&m).value, from.value, sizeof from.value);
}

static void flip_all(cca_image *m, const cca_rim *from, void *field, size_t size, const char *what)
{
    for (size_t bit = 0; bit < size * 8; bit++) {
        flip(field, bit);
        assert_changes(m, from, what);
        flip(field, bit);
    }
}

/* A flipped bit gives another RIM or an image that is refused; never the same RIM. */
static void every_bit_of_a_measured_parameter_counts(void **state)
{
    (void)state;
    cca_image m = example();
    m.params.flags = CCA_REALM_SVE | CCA_REALM_PMU;
    m.params.sve_vl = 3;
    m.params.pmu_num_ctrs = 6;
    cca_rim from = measure(&m);
    flip_all(&m, &from, &m.params.flags, sizeof m.params.flags, "a flag");
    flip_all(&m, &from, &m.params.s2sz, 1, "s2sz");
    flip_all(&m, &from, &m.params.sve_vl, 1, "sve_vl");
    flip_all(&m, &from, &m.params.num_bps, 1, "num_bps");
    flip_all(&m, &from, &m.params.num_wps, 1, "num_wps");
    flip_all(&m, &from, &m.params.pmu_num_ctrs, 1, "pmu_num_ctrs");
    flip_all(&m, &from, &m.recs[0].pc, sizeof m.recs[0].pc, "the pc");
    flip_all(&m, &from, m.recs[0].gprs, sizeof m.recs[0].gprs, "a register");
    flip_all(&m, &from, &m.ram[0].base, sizeof m.ram[0].base, "the base of RAM");
    flip_all(&m, &from, &m.ram[0].size, sizeof m.ram[0].size, "the size of RAM");
    flip_all(&m, &from, &m.blobs[0].ipa, sizeof m.blobs[0].ipa, "the initrd's place");
    flip_all(&m, &from, &m.blobs[1].ipa, sizeof m.blobs[1].ipa, "the kernel's place");
    flip_all(&m, &from, &m.unmeasured[0], sizeof m.unmeasured[0], "the place of the event log");
    m.recs[0].runnable = false;
    assert_changes(&m, &from, "that a REC runs");
    m.recs[0].runnable = true;
    m.params.hash = VS_SHA512;
    assert_changes(&m, &from, "the hash");
}

static void what_is_not_measured_does_not_count(void **state)
{
    (void)state;
    cca_image m = example();
    cca_rim from = measure(&m);
    cca_blob first = m.blobs[0];
    m.blobs[0] = m.blobs[1]; /* the order of loading is the addresses' */
    m.blobs[1] = first;
    m.blobs[0].name = "another name";
    m.recs[1].pc = 8; /* secondary CPUs */
    m.recs[1].gprs[3] = 9;
    m.recs[2] = m.recs[1];
    m.n_recs = 3;
    memset(log_bytes, 1, sizeof log_bytes);
    assert_memory_equal(measure(&m).value, from.value, sizeof from.value);
    m.recs[1] = m.recs[0]; /* nor where a runnable one stands among them */
    m.recs[0] = m.recs[2];
    assert_memory_equal(measure(&m).value, from.value, sizeof from.value);
    m.n_unmeasured = 2; /* ranges in any order */
    m.unmeasured[1] = (cca_range){m.unmeasured[0].base + 0x1000, 0x1000};
    m.unmeasured[0].size = 0x1000;
    assert_memory_equal(measure(&m).value, from.value, sizeof from.value);
    cca_range r = m.unmeasured[0];
    m.unmeasured[0] = m.unmeasured[1];
    m.unmeasured[1] = r;
    assert_memory_equal(measure(&m).value, from.value, sizeof from.value);
}

static void assert_refused(const cca_image *m, const char *says)
{
    cca_rim r = {.value = {1}};
    assert_vs_code(cca_image_measure(m, NULL, &r, &err), VS_E_INVALID);
    assert_int_equal(r.value[0], 1); /* nothing is written */
    if (!strstr(vs_error_at(&err, 0), says))
        fail_msg("\"%s\" does not say \"%s\"", vs_error_at(&err, 0), says);
}

static void images_that_no_host_can_build_are_refused(void **state)
{
    (void)state;
    const cca_image good = example();
    cca_image m = good;
    m.blobs[0].ipa = RAM + 0x2fff;
    assert_refused(&m, "kernel (granules 0x40000000 to 0x40003000) and initrd");
    m = good;
    m.blobs[0].ipa = RAM + RAM_SIZE - 0x800;
    assert_refused(&m, "is not inside RAM");
    m = good;
    m.blobs[0].ipa = RAM - 1;
    assert_refused(&m, "initrd (granules 0x3ffff000 to 0x40001000) is not inside RAM");
    m = good;
    m.blobs[1].ipa = UINT64_MAX;
    assert_refused(&m, "kernel at 0xffffffffffffffff, 0x2328 bytes, does not fit");
    m = good;
    m.blobs[1].source.size = UINT64_MAX;
    assert_refused(&m, "does not fit the protected half of 48 IPA bits");
    m = good;
    m.blobs[1].source.size = 0;
    assert_refused(&m, "is empty");
    m = good;
    m.ram[0].size = 0;
    assert_refused(&m, "RAM at 0x40000000 is empty");
    m.ram[0].size = 0x1800;
    assert_refused(&m, "must be multiples of 4096");
    m.ram[0].size = UINT64_MAX - 4095;
    assert_refused(&m, "which ends at 0x800000000000");
    m = good;
    m.params.s2sz = 31; /* 1 GiB is where the unprotected half begins */
    assert_refused(&m, "which ends at 0x40000000");
    m = good;
    m.n_ram = 2;
    m.ram[1] = (cca_range){RAM + RAM_SIZE - 4096, 8192};
    assert_refused(&m, "RAM (granules 0x40000000 to 0x40600000) and RAM");
    m = good;
    m.n_rom = 1;
    m.rom[0] = (cca_range){RAM, 4096};
    assert_refused(&m, "overlap");
    m = good;
    m.unmeasured[0].base = RAM + 0x1000;
    assert_refused(&m, "overlap");
    m.unmeasured[0].base = RAM + 0x800;
    assert_refused(&m, "unmeasured range at 0x40000800");
    m = good;
    m.n_ram = 0;
    assert_refused(&m, "is not inside RAM");
    m = good;
    m.unmeasured[0].size = UINT64_C(1) << 40; /* would be hashed for hours */
    cca_rim r;
    assert_vs_code(cca_image_measure(&m, NULL, &r, &err), VS_E_LIMIT);
}

static vs_code fail_late(const void *self, uint64_t at, uint8_t *to, size_t n, vs_error *e)
{
    (void)self;
    memset(to, 0, n);
    return at < 100000 ? VS_OK : vs_fail(e, VS_E_IO, "the disk is gone");
}

static void a_source_that_fails_gives_no_value(void **state)
{
    (void)state;
    cca_image m = example();
    cca_rim r = {.value = {1}};
    uint8_t digest[VS_HASH_MAX];
    m.n_unmeasured = 0;
    m.blobs[0].source = (cca_source){.size = 200000, .read = fail_late};
    assert_vs_code(cca_image_measure(&m, NULL, &r, &err), VS_E_IO);
    assert_string_equal(vs_error_at(&err, 0), "initrd");
    assert_int_equal(r.value[0], 1);
    assert_vs_code(cca_source_digest(VS_SHA256, &m.blobs[0].source, digest, &err), VS_E_IO);
}

/* ROM is no RAM: it may hold data, its RIPAS stays as it is. */
static void rom_holds_data_without_a_ripas(void **state)
{
    (void)state;
    cca_image m = {.params = plain, .n_rom = 1, .rom = {{0, 0x8000}}};
    cca_rim by_hand;
    assert_vs_ok(
        cca_image_add_blob(&m, "firmware", 0, cca_source_of(vs_span_of(kernel_bytes, 4096)), &err),
        &err);
    assert_vs_ok(cca_rim_create(&by_hand, &plain, &err), &err);
    assert_vs_ok(cca_rim_data(&by_hand, 0, kernel_bytes, &err), &err);
    assert_memory_equal(measure(&m).value, by_hand.value, sizeof by_hand.value);
}

static void there_is_room_for_so_many_blobs_and_no_more(void **state)
{
    (void)state;
    cca_image m = {0};
    for (int i = 0; i < CCA_BLOBS_MAX; i++)
        assert_vs_ok(cca_image_add_blob(&m, "x", 0, cca_source_of(nothing), &err), &err);
    assert_vs_code(cca_image_add_blob(&m, "x", 0, cca_source_of(nothing), &err), VS_E_LIMIT);
}

static void a_digest_in_pieces_is_the_digest_of_the_whole(void **state)
{
    (void)state;
    uint8_t whole[VS_HASH_MAX], pieces[VS_HASH_MAX];
    vs_span in = vs_span_of(kernel_bytes, sizeof kernel_bytes);
    cca_source s = cca_source_of(in);
    assert_vs_ok(vs_digest(VS_SHA384, in, nothing, nothing, whole, &err), &err);
    assert_vs_ok(cca_source_digest(VS_SHA384, &s, pieces, &err), &err);
    assert_memory_equal(whole, pieces, 48);
    assert_vs_code(cca_source_digest(VS_HASH_NONE, &s, pieces, &err), VS_E_UNSUPPORTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_arena(creating_a_realm_gives_the_known_values),
        in_arena(every_step_gives_the_known_value),
        in_arena(every_extension_gives_the_known_value),
        in_arena(an_extension_keeps_the_old_value_and_does_not_pad),
        in_arena(blocks_are_the_largest_that_the_tables_have),
        in_arena(rmm_2_0_measures_no_ripas),
        in_arena(steps_refuse_what_the_rmm_refuses),
        in_arena(parameters_that_no_realm_has_are_refused),
        in_arena(an_image_is_measured_in_the_hosts_order),
        in_arena(every_bit_of_what_is_loaded_counts),
        in_arena(every_bit_of_a_measured_parameter_counts),
        in_arena(what_is_not_measured_does_not_count),
        in_arena(images_that_no_host_can_build_are_refused),
        in_arena(a_source_that_fails_gives_no_value),
        in_arena(rom_holds_data_without_a_ripas),
        in_arena(there_is_room_for_so_many_blobs_and_no_more),
        in_arena(a_digest_in_pieces_is_the_digest_of_the_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
