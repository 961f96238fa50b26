/* SPDX-License-Identifier: Apache-2.0 */
/* cloud-hypervisor, as patched for CCA. */
#include "tee/cca/measure/layout.h"

static const uint64_t RAM_BASE = 0x40000000, RAM_TOP = 0xfc000000, KERNEL_OFFSET = 0x400000;

static vs_code check(const cca_vmm_config *c, const cca_layout *l, vs_error *err)
{
    if (c->firmware)
        return vs_fail(err, VS_E_UNSUPPORTED, "cloud-hypervisor with a firmware is not modelled");
    if (c->event_log)
        return vs_fail(err, VS_E_UNSUPPORTED, "cloud-hypervisor has no event log for realms");
    if (l->ram_size > RAM_TOP - RAM_BASE)
        return vs_fail(err, VS_E_UNSUPPORTED,
                       "cloud-hypervisor splits RAM of more than 3008 MiB, which is not modelled");
    return VS_OK;
}

vs_code cca_cloud_hypervisor_layout(const cca_vmm_config *c, cca_host *h, cca_plan *p,
                                    cca_layout *l, vs_error *err)
{
    l->ram_base = l->dtb_at = RAM_BASE;
    l->ram_size = c->ram ? c->ram : 512 * MIB;
    uint64_t top = l->ram_base + l->ram_size;
    VS_TRY(check(c, l, err));
    if (c->kernel)
        VS_TRY(cca_place_kernel(c, RAM_BASE + KERNEL_OFFSET, p, l, err));
    if (c->initrd) {
        l->initrd_size = c->initrd->size;
        VS_TRY(cca_check_room("initrd", l->initrd_size, "RAM's size", l->ram_size, err));
        l->initrd_at = top - align_up(l->initrd_size, CCA_GRANULE);
        VS_TRY(cca_check_room("kernel, with the memory that it clears,", l->kernel_end, "initrd",
                              l->initrd_at, err));
        VS_TRY(cca_image_add_blob(&p->image, "initrd", l->initrd_at, *c->initrd, err));
    }
    p->image.recs[p->image.n_recs++] =
        (cca_rec){.runnable = true, .pc = RAM_BASE + KERNEL_OFFSET, .gprs = {l->dtb_at}};
    cca_host most = CCA_HOST_NOTHING;
    most.ipa_bits = 48;
    most.sve_vl = 0;
    cca_host_restrict(h, &most);
    return VS_OK;
}
