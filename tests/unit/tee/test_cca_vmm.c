/* SPDX-License-Identifier: Apache-2.0 */
/* What VMMs make of their inputs: RIMs that others publish, layouts, devicetrees, and inputs that
 * are broken, absurd or hostile. */
#include "tee/rim_inputs.h"

#include "tee/cca/measure/fdt.h"
#include "tee/cca/measure/kernel.h"
#include "tee/cca/measure/vmm.h"

static const uint64_t MB = 1024 * 1024;

/* The host of the published tests. */
static cca_vmm_config config_of(cca_vmm vmm)
{
    cca_vmm_config c = {.vmm = vmm, .host = CCA_HOST_NOTHING};
    c.host.num_bps = c.host.num_wps = 6;
    if (vmm != CCA_KVMTOOL) {
        c.host.ipa_bits = 52;
        c.host.pmu_num_ctrs = 6;
    }
    return c;
}

static cca_vmm_config kvmtool_of(unsigned cpus, uint64_t ram)
{
    cca_vmm_config c = config_of(CCA_KVMTOOL);
    c.cpus = cpus;
    c.ram = ram;
    return c;
}

static cca_plan plan_of(const cca_vmm_config *c)
{
    cca_plan p;
    assert_vs_ok(cca_plan_make(c, &p, &err), &err);
    return p;
}

static const char *rim_of(const cca_vmm_config *c)
{
    cca_rim r;
    VS_CLEANUP(cca_plan_free) cca_plan p = plan_of(c);
    assert_vs_ok(cca_image_measure(&p.image, NULL, &r, &err), &err);
    return vs_sprintf(&arena, "%.*s", VS_FMT(vs_hex_encode_arena(&arena, cca_rim_span(&r))));
}

static const char *dtb_sha256_of(const cca_vmm_config *c)
{
    uint8_t md[VS_HASH_MAX];
    VS_CLEANUP(cca_plan_free) cca_plan p = plan_of(c);
    assert_vs_ok(vs_digest(VS_SHA256, vs_buf_span(&p.dtb), nothing, nothing, md, &err), &err);
    return vs_sprintf(&arena, "%.*s", VS_FMT(vs_hex_encode_arena(&arena, vs_span_of(md, 32))));
}

static void assert_refused(const cca_vmm_config *c, const char *says)
{
    cca_plan p;
    cca_rim r;
    char text[VS_ERROR_TEXT];
    vs_code code = cca_plan_make(c, &p, &err);
    if (code == VS_OK) {
        code = cca_image_measure(&p.image, NULL, &r, &err);
        cca_plan_free(&p);
    }
    assert_int_not_equal(code, VS_OK);
    if (!strstr(vs_error_text(&err, text, sizeof text), says))
        fail_msg("\"%s\" does not say \"%s\"", text, says);
}

static const cca_blob *blob_of(const cca_plan *p, const char *name)
{
    for (size_t i = 0; i < p->image.n_blobs; i++)
        if (strcmp(p->image.blobs[i].name, name) == 0)
            return &p->image.blobs[i];
    fail_msg("no %s is loaded", name);
    return NULL;
}

/* ---- published values -------------------------------------------------------------------------
 *
 * kvmtool: data/cca/rim. QEMU: what the tests of cca-realm-measurements assert (tests/cmdline.rs).
 */

static void kvmtool_gives_the_known_values(void **state)
{
    (void)state;
    vs_val want;
    need_shared("data/cca/rim/rim-kat.json");
    assert_vs_ok(vs_json_parse(&arena, shared_file("data/cca/rim/rim-kat.json"), NULL, &want, &err),
                 &err);
    cca_vmm_config c = kvmtool_of(1, 512 * MB);
    assert_span_is(vs_text(vs_getc(vs_getc(want, "kvmtool-512M-1cpu-no-payload"), "sha256")),
                   rim_of(&c));
    c.firmware = source_of(VS_LIT("FW CONTENT"));
    assert_span_is(vs_text(vs_getc(vs_getc(want, "kvmtool-512M-1cpu-firmware"), "sha256")),
                   rim_of(&c));
}

static void kvmtools_devicetree_is_the_known_one(void **state)
{
    (void)state;
    need_shared("data/cca/rim/kvmtool-1cpu-512M.dtb");
    vs_span want = shared_file("data/cca/rim/kvmtool-1cpu-512M.dtb");
    cca_vmm_config c = kvmtool_of(1, 512 * MB);
    VS_CLEANUP(cca_plan_free) cca_plan p = plan_of(&c);
    assert_int_equal(p.dtb.n, 65536);
    assert_int_equal(p.dtb_at, 0x8fe00000);
    assert_span_eq(vs_span_head(vs_buf_span(&p.dtb), want.n), want);
    for (size_t i = want.n; i < p.dtb.n; i++)
        assert_int_equal(p.dtb.p[i], 0);
    c.dtb = want; /* given, it measures the same */
    const char *given = rim_of(&c);
    c.dtb = (vs_span){0};
    assert_string_equal(given, rim_of(&c));
}

static void qemu_gives_the_published_values(void **state)
{
    (void)state;
    cca_vmm_config c = config_of(CCA_QEMU);
    assert_string_equal(rim_of(&c),
                        "cf409055d866eea6c8d5e7862b540ff1cac9b11f125d088587d5ae97a0e3341667cf8fb398"
                        "3e7377bca5c01d037bd97081ebf3b4dcb648442149749f4d65eeb0");
    c.pmu_on = true;
    assert_string_equal(rim_of(&c),
                        "8120ef921a987a3f8b9d4bb5e40f8489e2b4fc69c5e1b17b1a9b040884a1211d99b2bddc3f"
                        "ddcc99ec99f4244743fe3dcd3d9020583b47f7b66a2ec66bb897b9");
    c.host.pmu_num_ctrs = 2;
    assert_string_equal(rim_of(&c),
                        "ef4e6f78ea9630f66146b33a405a07b669ef94dd9aca6935d4fd23fea32f98f964241a2f9a"
                        "9c20c9fcd74e20031c51c4beb8e577873e0348e891ee2d727e2807");
    c = config_of(CCA_QEMU);
    c.host.pmu = 1; /* what the host has, the realm gets, unless it is turned off */
    c.pmu_off = true;
    assert_true(strncmp(rim_of(&c), "cf409055", 8) == 0);
    c.pmu_off = false;
    assert_true(strncmp(rim_of(&c), "8120ef92", 8) == 0);
}

static void qemu_with_firmware_gives_the_published_values(void **state)
{
    (void)state;
    cca_vmm_config c = config_of(CCA_QEMU);
    c.cpus = 2;
    c.ram = 1024 * MB;
    c.firmware = source_of(VS_LIT("FW CONTENT"));
    assert_string_equal(rim_of(&c),
                        "3175b3c0c201081ad410defe6c32e145fd77ff03e63518a9f00831b12b6ec2070f743f43f0"
                        "ff3290902ecebd4e6bea8d5926dca19dc1a06fb8d51d551a4a2b79");
    c.hash = VS_SHA256;
    const char *firmware = "cbf533a94009dfa6b83016a89b428d1d910fb3593856bb386d7b2bd07a1bc834";
    assert_string_equal(rim_of(&c), firmware);
    c.kernel = source_of(image_of(5000, 0, 8192)); /* the firmware's business */
    assert_string_equal(rim_of(&c), firmware);
    c.initrd = source_of(VS_LIT("INITRD CONTENT"));
    assert_string_equal(rim_of(&c), firmware);
    c.cmdline = "root=/dev/vda2"; /* which is in the devicetree */
    assert_string_equal(rim_of(&c),
                        "fd3ce1072c3e95cd3a4d1a07729756564f260f9f7e95014418b416673a268b7a");
}

static void what_firmware_measures_is_rem0(void **state)
{
    (void)state;
    uint8_t rem[VS_HASH_MAX], want[VS_HASH_MAX] = {0}, digest[VS_HASH_MAX];
    vs_span kernel = image_of(5000, 0, 8192), initrd = VS_LIT("INITRD CONTENT");
    cca_vmm_config c = config_of(CCA_QEMU);
    c.firmware = source_of(VS_LIT("FW CONTENT"));
    c.kernel = source_of(kernel);
    c.initrd = source_of(initrd);
    VS_CLEANUP(cca_plan_free) cca_plan p = plan_of(&c);
    assert_int_equal(p.n_rem0, 2);
    assert_vs_ok(cca_plan_rem0(&p, rem, &err), &err);
    assert_vs_ok(vs_digest(VS_SHA512, kernel, nothing, nothing, digest, &err), &err);
    assert_vs_ok(cca_rem_extend(VS_SHA512, want, vs_span_of(digest, 64), &err), &err);
    assert_vs_ok(vs_digest(VS_SHA512, initrd, nothing, nothing, digest, &err), &err);
    assert_vs_ok(cca_rem_extend(VS_SHA512, want, vs_span_of(digest, 64), &err), &err);
    assert_memory_equal(rem, want, 64);
}

/* ---- layouts ----------------------------------------------------------------------------------
 */

static void kvmtool_places_things_as_documented(void **state)
{
    (void)state;
    cca_vmm_config c = kvmtool_of(4, 1024 * MB);
    c.kernel = source_of(image_of(100000, 0x80000, 0x200000));
    c.initrd = source_of(VS_LIT("0123456789"));
    c.event_log = true;
    VS_CLEANUP(cca_plan_free) cca_plan p = plan_of(&c);
    assert_int_equal(p.image.params.s2sz, 33);
    assert_int_equal(p.image.params.hash, VS_SHA256);
    assert_int_equal(blob_of(&p, "kernel")->ipa, 0x80080000);
    assert_int_equal(p.image.unmeasured[0].base, 0x8fff0000);
    assert_int_equal(p.image.unmeasured[0].size, 0x10000);
    assert_int_equal(p.dtb_at, 0x8fe00000);
    assert_int_equal(blob_of(&p, "initrd")->ipa, 0x8fdffff4); /* (dtb - 10 - 4) aligned up to 4 */
    assert_int_equal(p.image.recs[0].pc, 0x80000000);
    assert_int_equal(p.image.recs[0].gprs[0], p.dtb_at);
}

static void kvmtools_addresses_follow_the_ram(void **state)
{
    (void)state;
    static const struct {
        uint64_t ram_mb, dtb;
        bool log;
        uint8_t s2sz;
    } cases[] = {{2, 0x80000000, false, 33},    {4, 0x80200000, false, 33},
                 {128, 0x87e00000, false, 33},  {256, 0x8fe00000, false, 33},
                 {128, 0x87e00000, true, 33},   {4096, 0x8fe00000, false, 33},
                 {6144, 0x8fe00000, false, 33}, {6146, 0x8fe00000, false, 34},
                 {16384, 0x8fe00000, true, 35}};
    for (size_t i = 0; i < VS_COUNT(cases); i++) {
        cca_vmm_config c = kvmtool_of(1, cases[i].ram_mb * MB);
        c.event_log = cases[i].log;
        VS_CLEANUP(cca_plan_free) cca_plan p = plan_of(&c);
        assert_int_equal(p.dtb_at, cases[i].dtb);
        assert_int_equal(p.image.params.s2sz, cases[i].s2sz);
        assert_int_equal(p.image.recs[0].pc, 0); /* without a payload */
    }
}

static void qemu_places_things_as_documented(void **state)
{
    (void)state;
    cca_vmm_config c = config_of(CCA_QEMU);
    c.ram = 1024 * MB;
    c.kernel = source_of(image_of(100000, 0, 0x200000));
    c.initrd = source_of(VS_LIT("0123456789"));
    c.event_log = true;
    cca_plan p = plan_of(&c);
    assert_int_equal(p.image.params.s2sz, 41);
    assert_int_equal(p.image.params.hash, VS_SHA512);
    assert_int_equal(blob_of(&p, "kernel")->ipa, 0x40000000);
    assert_int_equal(blob_of(&p, "initrd")->ipa, 0x48000000);
    assert_int_equal(p.dtb_at, 0x48200000);
    assert_int_equal(p.image.unmeasured[0].base, 0x48300000);
    assert_int_equal(p.image.recs[0].pc, 0x40000000);
    assert_int_equal(p.image.recs[0].gprs[0], 0x48200000);
    cca_plan_free(&p);
    c.ram = 64 * MB; /* half of it; the kernel's BSS pushes further */
    p = plan_of(&c);
    assert_int_equal(blob_of(&p, "initrd")->ipa, 0x42000000);
    cca_plan_free(&p);
    c.kernel = source_of(image_of(100000, 0, 0x2800800));
    p = plan_of(&c);
    assert_int_equal(blob_of(&p, "initrd")->ipa, 0x42801000);
    cca_plan_free(&p);
    c.firmware = source_of(VS_LIT("x"));
    p = plan_of(&c);
    assert_int_equal(blob_of(&p, "firmware")->ipa, 0);
    assert_int_equal(p.dtb_at, 0x40000000);
    assert_int_equal(p.image.recs[0].pc, 0);
    assert_int_equal(p.image.recs[0].gprs[0], 0);
    assert_int_equal(p.image.unmeasured[0].base, 0x40100000);
    cca_plan_free(&p);
}

static vs_span some_dtb(void)
{
    cca_vmm_config c = config_of(CCA_QEMU);
    VS_CLEANUP(cca_plan_free) cca_plan p = plan_of(&c);
    return vs_dup(&arena, vs_buf_span(&p.dtb));
}

/* The digests are of what cca-realm-measurements 0.1.0 writes; `make rim-oracle` compares more. */
static void cloud_hypervisors_devicetree_is_known(void **state)
{
    (void)state;
    cca_vmm_config c = config_of(CCA_CLOUD_HYPERVISOR);
    assert_string_equal(dtb_sha256_of(&c),
                        "79bd020b7d26fae27508e61b698ad6a876b13db651e33f0f43680662434b1a8c");
    c.cpus = 3;
    c.ram = 1024 * MB;
    c.cmdline = "console=hvc0 quiet";
    c.no_serial = true;
    assert_string_equal(dtb_sha256_of(&c),
                        "606d6cf56d1ec7621f3901764cc780b3462848da37365852d70c0a75474d940a");
    c.no_its = true;
    assert_refused(&c, "cloud-hypervisor always has an ITS");
    c = config_of(CCA_QEMU);
    c.no_serial = true;
    assert_refused(&c, "is cloud-hypervisor's");
}

static void cloud_hypervisor_places_things_as_documented(void **state)
{
    (void)state;
    cca_vmm_config c = config_of(CCA_CLOUD_HYPERVISOR);
    c.kernel = source_of(image_of(100000, 0x1000, 0x200000));
    c.initrd = source_of(VS_LIT("0123456789"));
    c.host.sve_vl = 512;
    VS_CLEANUP(cca_plan_free) cca_plan p = plan_of(&c);
    assert_int_equal(p.image.params.s2sz, 48);
    assert_int_equal(p.image.params.flags, 0); /* no SVE */
    assert_int_equal(p.image.params.hash, VS_SHA512);
    assert_int_equal(blob_of(&p, "kernel")->ipa, 0x40401000);
    assert_int_equal(blob_of(&p, "initrd")->ipa, 0x5ffff000);
    assert_int_equal(p.dtb_at, 0x40000000);
    assert_int_equal(p.image.recs[0].pc, 0x40400000);
    assert_int_equal(p.image.recs[0].gprs[0], 0x40000000);
}

static void the_hosts_capabilities_lower_what_the_vmm_asks(void **state)
{
    (void)state;
    cca_vmm_config c = kvmtool_of(1, 6146 * MB);
    c.host.ipa_bits = 33;
    assert_refused(&c, "does not fit the protected half of 33 IPA bits");
    c = config_of(CCA_QEMU);
    c.host.ipa_bits = 40;
    assert_refused(&c, "too few for QEMU");
    c.host.ipa_bits = CCA_HOST_UNKNOWN;
    assert_true(strncmp(rim_of(&c), "cf409055", 8) == 0);
    c.host.num_bps = CCA_HOST_UNKNOWN;
    assert_refused(&c, "the host's num_bps is not known");
    c = config_of(CCA_QEMU);
    c.pmu_on = true;
    c.host.pmu_num_ctrs = CCA_HOST_UNKNOWN;
    assert_refused(&c, "the host's pmu_num_ctrs is not known");
    c.host.pmu = 0;
    assert_refused(&c, "no PMU");
}

static void inputs_that_no_vmm_takes_are_refused(void **state)
{
    (void)state;
    const cca_source *small = source_of(image_of(100000, 0, 0x200000));
    cca_vmm_config c = kvmtool_of(1, 0);
    assert_refused(&c, "amount of RAM is missing");
    c = kvmtool_of(1, 3 * MB);
    assert_refused(&c, "multiple of 2 MiB");
    c = kvmtool_of(1, 4097);
    assert_refused(&c, "multiple of 4096");
    c = kvmtool_of(1, UINT64_MAX - 4095);
    assert_refused(&c, "at most 1 PiB");
    c = kvmtool_of(1, UINT64_C(1) << 50); /* beyond 48 bits and what LPA2 would bring */
    assert_refused(&c, "needs LPA2");
    c = kvmtool_of(0, 512 * MB);
    assert_refused(&c, "number of CPUs is missing");
    c = kvmtool_of(513, 512 * MB);
    assert_refused(&c, "513 CPUs");
    c = kvmtool_of(1, 512 * MB);
    c.initrd = small;
    assert_refused(&c, "an initrd without a kernel");
    c.kernel = c.firmware = small;
    assert_refused(&c, "a kernel or a firmware, not both");
    c.firmware = NULL;
    c.initrd = source_of(VS_LIT("x"));
    c.ram = 2 * MB; /* the devicetree is at the start of RAM */
    assert_refused(&c, "initrd, 1 bytes, does not fit");
    c.initrd = NULL;
    assert_refused(&c, "ends at 0x80200000, behind the devicetree at 0x80000000");
    c = kvmtool_of(1, 512 * MB);
    c.kernel = source_of(image_of(4096, 0x3ffff000, 0x1000));
    assert_refused(&c, "behind the end of RAM");
    c.kernel = source_of(image_of(4096, 0, 0x10000000)); /* up to where the devicetree is */
    assert_refused(&c, "behind the devicetree at 0x8fe00000");
    c = kvmtool_of(1, 512 * MB);
    uint64_t at = 0x8fe00000;
    c.firmware_at = &at;
    assert_refused(&c, "no firmware");
    c.firmware = small;
    assert_refused(&c, "overlap");
    at = 0x7ffff000;
    assert_refused(&c, "not inside RAM");
    at = UINT64_MAX;
    assert_refused(&c, "does not fit");
    c = kvmtool_of(1, 512 * MB);
    c.virtio_mmio = 61;
    assert_refused(&c, "61 virtio-mmio devices");
    char *args = vs_zalloc(&arena, 3000);
    memset(args, 'x', 2048);
    c.virtio_mmio = 0;
    c.cmdline = args;
    assert_refused(&c, "command line has 2048 bytes");
}

static void what_is_not_modelled_is_refused(void **state)
{
    (void)state;
    cca_vmm_config c = config_of(CCA_QEMU);
    c.ram = 256 * 1024 * MB;
    assert_refused(&c, "more than 255 GiB");
    c = config_of(CCA_QEMU);
    c.virtio_mmio = 1;
    assert_refused(&c, "options of kvmtool");
    c = config_of(CCA_CLOUD_HYPERVISOR);
    c.dtb = some_dtb();
    c.ram = 3009 * MB;
    assert_refused(&c, "more than 3008 MiB");
    c.ram = 0;
    c.event_log = true;
    assert_refused(&c, "no event log");
    c.event_log = false;
    c.firmware = source_of(VS_LIT("x"));
    assert_refused(&c, "firmware is not modelled");
    c = kvmtool_of(1, 512 * MB);
    c.hash = VS_SHA384;
    assert_refused(&c, "sha-384 needs RMM 2.0");
    c.rmm = CCA_RMM_2_0;
    (void)rim_of(&c);
    c.extra_flags = 1 << 20;
    assert_refused(&c, "does not define 0x100000");
}

/* ---- devicetrees made -------------------------------------------------------------------------
 */

static const char *text_at(vs_span dtb, const char *node, const char *property)
{
    vs_span v = {0};
    return fdt_find(dtb, node, property, &v)
               ? vs_sprintf(&arena, "%.*s", (int)(v.n ? v.n - 1 : 0), (const char *)v.p)
               : NULL;
}

static uint32_t cell_at(vs_span value, size_t i)
{
    uint32_t v = 0;
    assert_true(value.n >= 4 * (i + 1));
    for (size_t k = 0; k < 4; k++)
        v = v << 8 | value.p[4 * i + k];
    return v;
}

static void command_lines_are_as_the_vmms_make_them(void **state)
{
    (void)state;
    cca_vmm_config c = kvmtool_of(1, 512 * MB);
    static const struct {
        const char *given, *made;
        bool as_is;
    } cases[] = {{NULL, " console=hvc0 root=/dev/vda rw ", false},
                 {"", " console=hvc0 root=/dev/vda rw ", false},
                 {"quiet", " console=hvc0 root=/dev/vda rw  quiet", false},
                 {"quiet", "quiet", true},
                 {NULL, NULL, true}};
    for (size_t i = 0; i < VS_COUNT(cases); i++) {
        c.cmdline = cases[i].given;
        c.cmdline_as_is = cases[i].as_is;
        VS_CLEANUP(cca_plan_free) cca_plan p = plan_of(&c);
        const char *args = text_at(vs_buf_span(&p.dtb), "chosen", "bootargs");
        assert_int_equal(args == NULL, cases[i].made == NULL);
        if (args)
            assert_string_equal(args, cases[i].made);
    }
}

static void made_devicetrees_are_well_formed(void **state)
{
    (void)state;
    static const unsigned cpus[] = {1, 2, 15, 16, 17, 123, 124, 512};
    for (size_t i = 0; i < VS_COUNT(cpus); i++) {
        for (unsigned bits = 0; bits < 16; bits++) {
            cca_vmm_config c = config_of(bits & 1 ? CCA_QEMU : CCA_KVMTOOL);
            vs_span reg;
            c.cpus = cpus[i];
            c.ram = 512 * MB;
            c.event_log = bits & 2;
            c.pmu_on = bits & 4;
            c.no_its = bits & 8;
            c.host.pmu_num_ctrs = 4;
            c.virtio_mmio = bits & 1 ? 0 : 3;
            VS_CLEANUP(cca_plan_free) cca_plan p = plan_of(&c);
            assert_vs_ok(fdt_check(vs_buf_span(&p.dtb), &err), &err);
            assert_int_equal(text_at(vs_buf_span(&p.dtb), "pmu", "compatible") != NULL,
                             (bits & 4) != 0);
            assert_true(fdt_find(vs_buf_span(&p.dtb), "intc", "reg", &reg));
            assert_int_equal(reg.n, bits & 1 && cpus[i] > 123 ? 48 : 32);
            if (!(bits & 1))
                assert_int_equal(cell_at(reg, 7), cpus[i] * 0x20000);
        }
    }
}

static void each_choice_shows_in_the_devicetree(void **state)
{
    (void)state;
    cca_vmm_config c = kvmtool_of(1, 512 * MB);
    const char *plain = rim_of(&c);
    c.virtio_mmio = 1;
    assert_string_not_equal(plain, rim_of(&c));
    c.virtio_mmio = 0;
    c.no_its = true;
    assert_string_not_equal(plain, rim_of(&c));
    c.no_its = false;
    c.cpus = 2;
    assert_string_not_equal(plain, rim_of(&c));
    c.cpus = 1;
    c.cmdline = "quiet";
    assert_string_not_equal(plain, rim_of(&c));
}

/* ---- devicetrees given ------------------------------------------------------------------------
 */

static void a_devicetree_of_another_realm_is_noticed(void **state)
{
    (void)state;
    cca_vmm_config c = config_of(CCA_QEMU);
    c.dtb = some_dtb();
    c.kernel = source_of(image_of(5000, 0, 8192));
    cca_plan p = plan_of(&c);
    assert_int_equal(p.notes.n, 0);
    cca_plan_free(&p);
    c.initrd = source_of(VS_LIT("x"));
    p = plan_of(&c);
    assert_non_null(strstr((const char *)p.notes.p, "no chosen/linux,initrd-start"));
    cca_plan_free(&p);
    c.dtb = (vs_span){0};
    p = plan_of(&c);
    vs_span with_initrd = vs_dup(&arena, vs_buf_span(&p.dtb));
    cca_plan_free(&p);
    c.dtb = with_initrd;
    p = plan_of(&c);
    assert_int_equal(p.notes.n, 0);
    cca_plan_free(&p);
    c.initrd = source_of(VS_LIT("xx"));
    p = plan_of(&c);
    assert_non_null(strstr((const char *)p.notes.p, "says chosen/linux,initrd-end"));
    cca_plan_free(&p);
    c.initrd = NULL;
    p = plan_of(&c);
    assert_non_null(strstr((const char *)p.notes.p, "speaks of an initrd"));
    cca_plan_free(&p);
    c.dtb = some_dtb();
    c.ram = 256 * MB;
    c.cmdline = "quiet";
    p = plan_of(&c);
    assert_string_equal((const char *)p.notes.p,
                        "the devicetree's memory is not 0x10000000 bytes at 0x40000000\n"
                        "the devicetree has another command line, and that one counts\n");
    cca_plan_free(&p);
}

static void a_devicetree_beyond_the_vmms_room_is_refused(void **state)
{
    (void)state;
    cca_vmm_config c = kvmtool_of(1, 512 * MB);
    vs_span dtb = some_dtb();
    c.dtb = vs_span_of(vs_zalloc(&arena, 65537), 65537);
    memcpy((uint8_t *)(uintptr_t)c.dtb.p, dtb.p, dtb.n);
    assert_refused(&c, "has 65537 bytes, the VMM's room 65536");
    c.dtb.n--;
    (void)rim_of(&c);
    c = kvmtool_of(512, 512 * MB); /* 512 CPUs fit */
    (void)rim_of(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_arena(kvmtool_gives_the_known_values),
        in_arena(kvmtools_devicetree_is_the_known_one),
        in_arena(qemu_gives_the_published_values),
        in_arena(qemu_with_firmware_gives_the_published_values),
        in_arena(what_firmware_measures_is_rem0),
        in_arena(kvmtool_places_things_as_documented),
        in_arena(kvmtools_addresses_follow_the_ram),
        in_arena(qemu_places_things_as_documented),
        in_arena(cloud_hypervisors_devicetree_is_known),
        in_arena(cloud_hypervisor_places_things_as_documented),
        in_arena(the_hosts_capabilities_lower_what_the_vmm_asks),
        in_arena(inputs_that_no_vmm_takes_are_refused),
        in_arena(what_is_not_modelled_is_refused),
        in_arena(command_lines_are_as_the_vmms_make_them),
        in_arena(made_devicetrees_are_well_formed),
        in_arena(each_choice_shows_in_the_devicetree),
        in_arena(a_devicetree_of_another_realm_is_noticed),
        in_arena(a_devicetree_beyond_the_vmms_room_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
