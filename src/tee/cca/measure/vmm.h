/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What virtual machine monitors make of their inputs: where kvmtool, QEMU's virt machine and
 * cloud-hypervisor put kernel, initrd, firmware and devicetree of a realm, and with which
 * parameters they create it (cca.md 8.4). The result is an image to measure.
 *
 * The devicetree is measured, so it must be the VMM's to the last bit. One can be made here: the
 * one of cca-realm-measurements (for kvmtool and QEMU that of its realm VM specification, 0.3),
 * which is meant to be given to the VMM (its -dtb or --dtb). Up to 16 CPUs it is the same as that
 * tool's; a VMM that makes its own may differ.
 */
#ifndef VS_TEE_CCA_MEASURE_VMM_H
#define VS_TEE_CCA_MEASURE_VMM_H

#include "tee/cca/measure/host.h"
#include "tee/cca/measure/image.h"

typedef enum cca_vmm { CCA_KVMTOOL, CCA_QEMU, CCA_CLOUD_HYPERVISOR } cca_vmm;

enum { CCA_CPUS_MAX = 512, CCA_CMDLINE_MAX = 2047 };

/* What the VMM is told. Zero or NULL: not given. Sources must outlive the plan. */
typedef struct cca_vmm_config {
    cca_vmm vmm;
    cca_host host;
    cca_rmm rmm;
    vs_hash hash;         /* VS_HASH_NONE: the VMM's own default */
    uint64_t extra_flags; /* of RmiRealmParams, beside those that follow from the host */
    uint64_t ram;         /* bytes; QEMU: 128 MiB, cloud-hypervisor: 512 MiB when 0 */
    unsigned cpus;        /* 1 when 0, which kvmtool refuses */
    const cca_source *kernel, *initrd, *firmware;
    vs_span dtb;         /* p == NULL: make one */
    const char *cmdline; /* of the kernel */
    bool cmdline_as_is;  /* kvmtool: without what it puts before it */
    bool event_log;
    bool no_its;                 /* kvmtool --irqchip=gicv3, QEMU its=off */
    bool no_serial;              /* cloud-hypervisor --serial off */
    bool pmu_on, pmu_off;        /* neither: kvmtool off, others as the host has it */
    const uint64_t *firmware_at; /* kvmtool --firmware-address */
    unsigned virtio_mmio;        /* kvmtool --virtio-transport mmio: devices */
} cca_vmm_config;

/* Zero-initialise; free after use. `image` points into `dtb` and to the configuration's sources. */
typedef struct cca_plan {
    cca_image image;
    vs_buf dtb; /* as measured */
    uint64_t dtb_at;
    /* Measured by the guest's firmware into REM0 (index 1 of RSI_MEASUREMENT_EXTEND), in order. */
    const cca_source *rem0[2];
    size_t n_rem0;
    vs_buf notes; /* lines: what looks wrong in a devicetree that was given; empty when nothing */
} cca_plan;

void cca_plan_free(cca_plan *p);

/* Everything but the contents is checked: header of the kernel, devicetree, places. VS_E_INVALID
 * and others name the input. */
VS_MUST vs_code cca_plan_make(const cca_vmm_config *c, cca_plan *out, vs_error *err);

/* REM0 as firmware that measures H(file) of each of plan->rem0 leaves it. */
VS_MUST vs_code cca_plan_rem0(const cca_plan *p, uint8_t rem[VS_HASH_MAX], vs_error *err);

#endif
