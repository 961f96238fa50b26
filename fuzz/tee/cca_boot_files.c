/* SPDX-License-Identifier: Apache-2.0 */
/* What a VMM loads, hostile: the bytes as a devicetree, as a kernel, as gzip; and as all that a VMM
 * is given, laid out and measured. */
#include "tee/cca/measure/fdt.h"
#include "tee/cca/measure/kernel.h"
#include "tee/cca/measure/vmm.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void need_reason(vs_code code, const vs_error *err)
{
    if (code != VS_OK && (err->code != code || !vs_error_at(err, 0)))
        __builtin_trap();
}

static void as_devicetree(vs_span in)
{
    vs_error err = {0};
    vs_span v = {0};
    vs_code code = fdt_check(in, &err);
    need_reason(code, &err);
    if (fdt_find(in, "chosen", "bootargs", &v) && v.n && (v.p < in.p || v.p + v.n > in.p + in.n))
        __builtin_trap();
}

static void as_kernel(vs_span in)
{
    vs_error err = {0};
    cca_kernel k;
    vs_buf out = VS_BUF(1 << 20);
    need_reason(cca_kernel_header(in, &k, &err), &err);
    need_reason(cca_gunzip(in, &out, &err), &err);
    vs_buf_free(&out);
}

static void as_everything(vs_span in, cca_vmm vmm, bool firmware)
{
    vs_error err = {0};
    cca_plan p;
    cca_rim rim;
    cca_source s = cca_source_of(in);
    cca_vmm_config c = {.vmm = vmm,
                        .host = {52, 6, 6, 6, 512, 1, 0},
                        .ram = 64 << 20,
                        .cpus = 1,
                        .kernel = firmware && vmm == CCA_KVMTOOL ? NULL : &s,
                        .initrd = firmware ? NULL : &s,
                        .firmware = firmware ? &s : NULL,
                        .dtb = in};
    vs_code code = cca_plan_make(&c, &p, &err);
    need_reason(code, &err);
    c.dtb = (vs_span){0};
    if (code != VS_OK)
        code = cca_plan_make(&c, &p, &err);
    need_reason(code, &err);
    if (code != VS_OK)
        return;
    need_reason(cca_image_measure(&p.image, NULL, &rim, &err), &err);
    cca_plan_free(&p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    vs_span in = vs_span_of(data, size);
    as_devicetree(in);
    as_kernel(in);
    for (cca_vmm vmm = CCA_KVMTOOL; vmm <= CCA_CLOUD_HYPERVISOR; vmm++) {
        as_everything(in, vmm, false);
        as_everything(in, vmm, true);
    }
    return 0;
}
