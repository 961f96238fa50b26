/* SPDX-License-Identifier: Apache-2.0 */
/* vouchsafe rim kvmtool, qemu, cloud-hypervisor. */
#include <stdio.h>

#include "base/io.h"
#include "cmd/rim/rim_tool.h"
#include "cmd/view.h"
#include "tee/cca/measure/vmm.h"

enum { DTB_FILE_MAX = 4 * 1024 * 1024 };

typedef struct inputs {
    rim_input kernel, initrd, firmware;
    vs_buf dtb;
    uint64_t firmware_at;
} inputs;

#define INPUTS                                                                                     \
    {                                                                                              \
        RIM_INPUT, RIM_INPUT, RIM_INPUT, VS_BUF(DTB_FILE_MAX), 0                                   \
    }

static void close_inputs(inputs *in)
{
    rim_close(&in->kernel);
    rim_close(&in->initrd);
    rim_close(&in->firmware);
    vs_buf_free(&in->dtb);
}

static vs_code open_one(const char *path, bool gunzip, rim_input *in, const cca_source **source,
                        vs_error *err)
{
    if (!path)
        return VS_OK;
    VS_TRY(rim_open(path, gunzip, in, err));
    *source = &in->source;
    return VS_OK;
}

static vs_code open_inputs(const rim_cli *o, inputs *in, cca_vmm_config *c, vs_error *err)
{
    VS_TRY(open_one(o->kernel, c->vmm == CCA_QEMU, &in->kernel, &c->kernel, err));
    VS_TRY(open_one(o->initrd, false, &in->initrd, &c->initrd, err));
    VS_TRY(open_one(o->firmware, false, &in->firmware, &c->firmware, err));
    if (!o->dtb)
        return VS_OK;
    VS_TRY(vs_read_file(o->dtb, &in->dtb, err));
    c->dtb = in->dtb.p ? vs_buf_span(&in->dtb) : VS_LIT("");
    return VS_OK;
}

/* 512M, 2G, 524288K, or MiB. */
static vs_code memory_size(const char *text, uint64_t *out, vs_error *err)
{
    static const char units[] = "KMGT";
    vs_span s = vs_str(text);
    const char *unit = s.n ? strchr(units, s.p[s.n - 1]) : NULL;
    unsigned shift = unit && *unit ? 10 * (unsigned)(unit - units + 1) : 20;
    if (unit && *unit)
        s.n--;
    if (!vs_span_decimal(s, UINT64_MAX >> shift, out))
        return vs_fail(err, VS_E_INVALID,
                       "--memory %s: must be a number with K, M, G or T, or of MiB", text);
    *out <<= shift;
    return *out ? VS_OK : vs_fail(err, VS_E_INVALID, "--memory %s: no realm runs in none", text);
}

static vs_code read_numbers(const rim_cli *o, inputs *in, cca_vmm_config *c, vs_error *err)
{
    uint64_t cpus, virtio;
    if (o->memory)
        VS_TRY(memory_size(o->memory, &c->ram, err));
    VS_TRY(rim_number("cpus", o->cpus, CCA_CPUS_MAX, 0, &cpus, err));
    if (o->cpus && cpus == 0)
        return vs_fail(err, VS_E_INVALID, "--cpus 0: a realm has at least one");
    VS_TRY(rim_number("virtio-mmio", o->virtio, 1000, 0, &virtio, err));
    VS_TRY(rim_number("flags", o->flags, UINT64_MAX, 0, &c->extra_flags, err));
    VS_TRY(rim_number("firmware-address", o->firmware_at, UINT64_MAX, 0, &in->firmware_at, err));
    c->cpus = (unsigned)cpus;
    c->virtio_mmio = (unsigned)virtio;
    c->firmware_at = o->firmware_at ? &in->firmware_at : NULL;
    return VS_OK;
}

static vs_code configure(const rim_cli *o, inputs *in, cca_vmm_config *c, vs_error *err)
{
    VS_TRY(read_numbers(o, in, c, err));
    VS_TRY(rim_host(o, &c->host, err));
    VS_TRY(rim_hash(o->hash, &c->hash, err));
    if (!cca_rmm_of_name(vs_str(o->rmm), &c->rmm))
        return vs_fail(err, VS_E_INVALID, "--rmm %s: must be 1.0, 1.1 or 2.0", o->rmm);
    c->cmdline = o->cmdline;
    c->cmdline_as_is = o->cmdline_as_is;
    c->event_log = o->event_log;
    c->no_its = o->no_its;
    c->no_serial = o->no_serial;
    c->pmu_on = o->pmu;
    c->pmu_off = o->no_pmu;
    return open_inputs(o, in, c, err);
}

static void print_notes(const cca_plan *p)
{
    for (vs_span rest = vs_buf_span(&p->notes); rest.n;) {
        vs_span line = vs_span_cut(rest, '\n', &rest, NULL);
        fprintf(stderr, "vouchsafe: rim: note: %.*s\n", VS_FMT(line));
    }
}

static vs_code run(const rim_cli *o, cca_vmm vmm, const char *name, vs_error *err)
{
    VS_CLEANUP(close_inputs) inputs in = INPUTS;
    VS_CLEANUP(cca_plan_free) cca_plan p = {0};
    cca_vmm_config c = {.vmm = vmm};
    rim_result r = {.vmm = name, .image = &p.image, .dtb_made = !o->dtb};
    VS_TRY(configure(o, &in, &c, err));
    VS_TRY(cca_plan_make(&c, &p, err));
    print_notes(&p);
    if (p.n_rem0) {
        r.has_rem0 = true;
        VS_TRY(cca_plan_rem0(&p, r.rem0, err));
    }
    r.dtb = vs_buf_span(&p.dtb);
    return rim_measure(o, &r, err);
}

int rim_run_kvmtool(void *opts)
{
    vs_error err = {0};
    return rim_finish(run(opts, CCA_KVMTOOL, "kvmtool", &err), &err);
}

int rim_run_qemu(void *opts)
{
    vs_error err = {0};
    return rim_finish(run(opts, CCA_QEMU, "qemu", &err), &err);
}

int rim_run_cloud_hypervisor(void *opts)
{
    vs_error err = {0};
    return rim_finish(run(opts, CCA_CLOUD_HYPERVISOR, "cloud-hypervisor", &err), &err);
}
