/* SPDX-License-Identifier: Apache-2.0 */
#include "tee/cca/measure/vmm.h"

#include "tee/cca/measure/kernel.h"
#include "tee/cca/measure/layout.h"

enum { DTB_MAX = 2 * 1024 * 1024, NOTES_MAX = 4096 };

void cca_plan_free(cca_plan *p)
{
    vs_buf_free(&p->dtb);
    vs_buf_free(&p->notes);
}

/* ---- what layouts share -----------------------------------------------------------------------
 */

vs_code cca_place_kernel(const cca_vmm_config *c, uint64_t base, cca_plan *p, cca_layout *l,
                         vs_error *err)
{
    cca_kernel k;
    VS_TRY(cca_kernel_read(c->kernel, &k, err));
    uint64_t size = k.image_size > c->kernel->size ? k.image_size : c->kernel->size;
    l->kernel_end = base + k.text_offset + size;
    VS_TRY(cca_check_room("kernel, with the memory that it clears,", l->kernel_end, "end of RAM",
                          l->ram_base + l->ram_size, err));
    return cca_image_add_blob(&p->image, "kernel", base + k.text_offset, *c->kernel, err);
}

vs_code cca_check_room(const char *what, uint64_t end, const char *next, uint64_t limit,
                       vs_error *err)
{
    if (end > limit)
        return vs_fail(err, VS_E_INVALID, "%s ends at 0x%llx, behind the %s at 0x%llx", what,
                       (unsigned long long)end, next, (unsigned long long)limit);
    return VS_OK;
}

/* ---- parameters -------------------------------------------------------------------------------
 */

static vs_code check_config(const cca_vmm_config *c, vs_error *err)
{
    static const uint64_t ram_max = UINT64_C(1) << 50;
    if (c->ram % CCA_GRANULE || c->ram > ram_max)
        return vs_fail(err, VS_E_INVALID,
                       "%llu bytes of RAM: must be a multiple of 4096 and at most 1 PiB",
                       (unsigned long long)c->ram);
    if (c->cpus > CCA_CPUS_MAX)
        return vs_fail(err, VS_E_INVALID, "%u CPUs: at most %d", c->cpus, CCA_CPUS_MAX);
    if (c->cmdline && strlen(c->cmdline) > CCA_CMDLINE_MAX)
        return vs_fail(err, VS_E_LIMIT, "the kernel's command line has %zu bytes, at most %d",
                       strlen(c->cmdline), CCA_CMDLINE_MAX);
    if (c->initrd && !c->kernel)
        return vs_fail(err, VS_E_INVALID, "an initrd without a kernel");
    if (c->vmm != CCA_KVMTOOL && (c->virtio_mmio || c->firmware_at || c->cmdline_as_is))
        return vs_fail(err, VS_E_INVALID,
                       "virtio-mmio devices, a firmware address and a command line as it is are "
                       "options of kvmtool");
    if (c->vmm != CCA_CLOUD_HYPERVISOR && c->no_serial)
        return vs_fail(err, VS_E_INVALID, "to be without a serial port is cloud-hypervisor's");
    if (c->vmm == CCA_CLOUD_HYPERVISOR && c->no_its)
        return vs_fail(err, VS_E_INVALID, "cloud-hypervisor always has an ITS");
    return VS_OK;
}

/* kvmtool must be asked for a PMU; the others take what KVM has. */
static vs_code choose_pmu(const cca_vmm_config *c, cca_host *h, vs_error *err)
{
    if (c->pmu_on && h->pmu == 0)
        return vs_fail(err, VS_E_INVALID, "the host has no PMU for realms");
    h->pmu = c->pmu_on || (!c->pmu_off && c->vmm != CCA_KVMTOOL && h->pmu == 1);
    return VS_OK;
}

static vs_code set_params(const cca_vmm_config *c, const cca_host *h, cca_plan *p, vs_error *err)
{
    cca_realm_params *params = &p->image.params;
    VS_TRY(cca_host_params(h, c->extra_flags, params, err));
    params->rmm = c->rmm;
    params->hash = c->hash != VS_HASH_NONE ? c->hash
                   : c->vmm == CCA_KVMTOOL ? VS_SHA256
                                           : VS_SHA512;
    return VS_OK;
}

/* ---- devicetree -------------------------------------------------------------------------------
 */

/* A number of one or two cells. */
static bool property_number(vs_span dtb, const char *node, const char *name, uint64_t *out)
{
    vs_span v;
    if (!fdt_find(dtb, node, name, &v) || (v.n != 4 && v.n != 8))
        return false;
    *out = 0;
    for (size_t i = 0; i < v.n; i++)
        *out = *out << 8 | v.p[i];
    return true;
}

static void note_difference(cca_plan *p, vs_span dtb, const char *node, const char *name,
                            uint64_t want)
{
    uint64_t is;
    if (!property_number(dtb, node, name, &is))
        vs_buf_printf(&p->notes, "the devicetree has no %s/%s, expected is 0x%llx\n", node, name,
                      (unsigned long long)want);
    else if (is != want)
        vs_buf_printf(&p->notes, "the devicetree says %s/%s 0x%llx, the VMM's layout 0x%llx\n",
                      node, name, (unsigned long long)is, (unsigned long long)want);
}

static bool is_memory(vs_span reg, const cca_layout *l)
{
    const uint64_t want[] = {l->ram_base, l->ram_size};
    for (size_t i = 0; reg.n == sizeof want && i < reg.n; i++)
        if (reg.p[i] != (uint8_t)(want[i / 8] >> 8 * (7 - i % 8)))
            return false;
    return reg.n == sizeof want;
}

/* Whoever passes a devicetree of another realm should hear of it. */
static void note_differences(const cca_vmm_config *c, cca_plan *p, const cca_layout *l, vs_span dtb)
{
    vs_span reg = {0}, args = {0};
    uint64_t ignored;
    if (!fdt_find(dtb, "memory", "reg", &reg) || !is_memory(reg, l))
        vs_buf_printf(&p->notes, "the devicetree's memory is not 0x%llx bytes at 0x%llx\n",
                      (unsigned long long)l->ram_size, (unsigned long long)l->ram_base);
    (void)fdt_find(dtb, "chosen", "bootargs", &args);
    if (c->cmdline &&
        !vs_span_ends(vs_span_head(args, args.n ? args.n - 1 : 0), vs_str(c->cmdline)))
        vs_buf_puts(&p->notes, "the devicetree has another command line, and that one counts\n");
    if (l->initrd_size) {
        note_difference(p, dtb, "chosen", "linux,initrd-start", l->initrd_at);
        note_difference(p, dtb, "chosen", "linux,initrd-end", l->initrd_at + l->initrd_size);
    } else if (property_number(dtb, "chosen", "linux,initrd-start", &ignored)) {
        vs_buf_puts(&p->notes,
                    "the devicetree speaks of an initrd, but there is none in the RIM\n");
    }
    if (fdt_find(dtb, "chosen", "kaslr-seed", &args) || fdt_find(dtb, "chosen", "rng-seed", &args))
        vs_buf_puts(&p->notes, "the devicetree holds a random seed: the RIM is that of one boot\n");
}

static vs_code given_dtb(const cca_vmm_config *c, cca_plan *p, const cca_layout *l, vs_error *err)
{
    VS_TRY_WRAP(fdt_check(c->dtb, err), err, "devicetree");
    vs_buf_put(&p->dtb, c->dtb);
    VS_TRY_WRAP(vs_buf_check(&p->dtb, err), err, "devicetree");
    note_differences(c, p, l, c->dtb);
    return VS_OK;
}

static void free_writer(fdt_writer *w)
{
    fdt_free(w);
}

static vs_code made_dtb(const cca_vmm_config *c, const cca_host *h, cca_plan *p,
                        const cca_layout *l, vs_error *err)
{
    VS_CLEANUP(free_writer) fdt_writer w = FDT_WRITER;
    switch (c->vmm) {
    case CCA_KVMTOOL: cca_kvmtool_dtb(c, h->pmu == 1, l, &w); break;
    case CCA_QEMU: cca_qemu_dtb(c, h->pmu == 1, l, &w); break;
    case CCA_CLOUD_HYPERVISOR: cca_cloud_hypervisor_dtb(c, l, &w); break;
    }
    return fdt_finish(&w, &p->dtb, err);
}

static vs_code add_dtb(const cca_vmm_config *c, const cca_host *h, cca_plan *p, const cca_layout *l,
                       vs_error *err)
{
    VS_TRY(c->dtb.p ? given_dtb(c, p, l, err) : made_dtb(c, h, p, l, err));
    if (l->dtb_size && p->dtb.n > l->dtb_size)
        return vs_fail(err, VS_E_INVALID, "the devicetree has %zu bytes, the VMM's room %llu",
                       p->dtb.n, (unsigned long long)l->dtb_size);
    if (l->dtb_size) {
        size_t missing = (size_t)l->dtb_size - p->dtb.n;
        uint8_t *zeros = vs_buf_reserve(&p->dtb, missing);
        if (!zeros)
            return vs_buf_check(&p->dtb, err);
        memset(zeros, 0, missing);
    }
    p->dtb_at = l->dtb_at;
    return cca_image_add_blob(&p->image, "devicetree", l->dtb_at,
                              cca_source_of(vs_buf_span(&p->dtb)), err);
}

/* ---- the whole --------------------------------------------------------------------------------
 */

static vs_code lay_out(const cca_vmm_config *c, cca_host *h, cca_plan *p, cca_layout *l,
                       vs_error *err)
{
    switch (c->vmm) {
    case CCA_KVMTOOL: return cca_kvmtool_layout(c, h, p, l, err);
    case CCA_QEMU: return cca_qemu_layout(c, h, p, l, err);
    case CCA_CLOUD_HYPERVISOR: return cca_cloud_hypervisor_layout(c, h, p, l, err);
    }
    return vs_fail(err, VS_E_INTERNAL, "unknown VMM");
}

static vs_code make(const cca_vmm_config *c, cca_plan *p, vs_error *err)
{
    cca_host h = c->host;
    cca_layout l = {0};
    VS_TRY(check_config(c, err));
    VS_TRY(choose_pmu(c, &h, err));
    VS_TRY(lay_out(c, &h, p, &l, err));
    VS_TRY(set_params(c, &h, p, err));
    p->image.ram[p->image.n_ram++] = (cca_range){l.ram_base, l.ram_size};
    if (l.log_size)
        p->image.unmeasured[p->image.n_unmeasured++] = (cca_range){l.log_at, l.log_size};
    return add_dtb(c, &h, p, &l, err);
}

vs_code cca_plan_make(const cca_vmm_config *c, cca_plan *out, vs_error *err)
{
    *out = (cca_plan){.dtb = VS_BUF(DTB_MAX), .notes = VS_BUF(NOTES_MAX)};
    vs_code code = make(c, out, err);
    if (code != VS_OK)
        cca_plan_free(out);
    return code;
}

vs_code cca_plan_rem0(const cca_plan *p, uint8_t rem[VS_HASH_MAX], vs_error *err)
{
    vs_hash hash = p->image.params.hash;
    memset(rem, 0, VS_HASH_MAX);
    for (size_t i = 0; i < p->n_rem0; i++) {
        uint8_t digest[VS_HASH_MAX];
        VS_TRY(cca_source_digest(hash, p->rem0[i], digest, err));
        VS_TRY(cca_rem_extend(hash, rem, vs_span_of(digest, vs_hash_size(hash)), err));
    }
    return VS_OK;
}
