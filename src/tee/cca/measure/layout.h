/* SPDX-License-Identifier: Apache-2.0 */
/* Between vmm.c and the layouts of the VMMs. */
#ifndef VS_TEE_CCA_MEASURE_LAYOUT_H
#define VS_TEE_CCA_MEASURE_LAYOUT_H

#include "tee/cca/measure/fdt.h"
#include "tee/cca/measure/vmm.h"

static const uint64_t KIB = 1024, MIB = 1024 * 1024, GIB = 1024 * 1024 * 1024;

/* `to` is a power of two, `v` far from the end of the numbers. */
static inline uint64_t align_up(uint64_t v, uint64_t to)
{
    return (v + to - 1) & ~(to - 1);
}

/* Where a VMM puts things; what it does not have is zero. */
typedef struct cca_layout {
    uint64_t ram_base, ram_size;
    uint64_t kernel_end; /* BSS included; 0 without a kernel in the RIM */
    uint64_t initrd_at, initrd_size;
    uint64_t dtb_at;
    uint64_t dtb_size; /* fixed, padded with zeros; 0: as long as it is */
    uint64_t log_at, log_size;
} cca_layout;

/* Adds the kernel at `base` + text_offset. Sets l->kernel_end. */
VS_MUST vs_code cca_place_kernel(const cca_vmm_config *c, uint64_t base, cca_plan *p, cca_layout *l,
                                 vs_error *err);
/* VS_E_INVALID when `end` is above `limit`. */
VS_MUST vs_code cca_check_room(const char *what, uint64_t end, const char *next, uint64_t limit,
                               vs_error *err);

/* Each sets l, fills p->image but for params and devicetree, and lowers h to what the VMM asks. */
VS_MUST vs_code cca_kvmtool_layout(const cca_vmm_config *c, cca_host *h, cca_plan *p, cca_layout *l,
                                   vs_error *err);
VS_MUST vs_code cca_qemu_layout(const cca_vmm_config *c, cca_host *h, cca_plan *p, cca_layout *l,
                                vs_error *err);
VS_MUST vs_code cca_cloud_hypervisor_layout(const cca_vmm_config *c, cca_host *h, cca_plan *p,
                                            cca_layout *l, vs_error *err);

/* The devicetrees. `pmu`: whether the realm has one. */
void cca_kvmtool_dtb(const cca_vmm_config *c, bool pmu, const cca_layout *l, fdt_writer *w);
void cca_qemu_dtb(const cca_vmm_config *c, bool pmu, const cca_layout *l, fdt_writer *w);
void cca_cloud_hypervisor_dtb(const cca_vmm_config *c, const cca_layout *l, fdt_writer *w);

/* ---- parts of devicetrees that VMMs share ------------------------------------------------------
 */

enum { IRQ_SPI = 0, IRQ_PPI = 1 };
enum { IRQ_EDGE_RISING = 1, IRQ_LEVEL_HIGH = 4, IRQ_LEVEL_LOW = 8 };
enum { PCI_IO = 0x01000000, PCI_MEM32 = 0x02000000, PCI_MEM64 = 0x03000000 };

static inline uint32_t high32(uint64_t v)
{
    return (uint32_t)(v >> 32);
}
static inline uint32_t low32(uint64_t v)
{
    return (uint32_t)v;
}

/* Opens the root and adds chosen, memory, cpus and psci. */
void cca_dtb_begin(const cca_vmm_config *c, const char *bootargs, const cca_layout *l,
                   uint32_t interrupt_parent, fdt_writer *w);
void cca_dtb_timer(fdt_writer *w, uint32_t trigger);
void cca_dtb_pmu(fdt_writer *w);

/* GICv3. `reg`: address and size of the distributor, then of each region of redistributors. */
typedef struct cca_gic {
    const uint64_t *reg;
    uint32_t redist_regions;
    uint64_t its_at, its_size; /* no ITS: size 0 */
    uint32_t phandle, its_phandle;
} cca_gic;
void cca_dtb_gic(const cca_gic *g, fdt_writer *w);

/* What all host bridges say of themselves, in an open node. */
typedef struct cca_pci {
    uint64_t ports, ports_size, mmio, mmio_size; /* below 4 GiB */
    uint64_t high_mmio, high_mmio_size, config, config_size;
    uint32_t its_phandle, msi_devices; /* no ITS: 0 devices */
    uint32_t last_bus;
} cca_pci;
void cca_dtb_pci(const cca_pci *p, fdt_writer *w);

/* Of Arm's PrimeCells: clock source, PL031, and the size of the registers of each. */
enum { CCA_PL_SIZE = 0x1000 };
void cca_dtb_clock(uint32_t phandle, fdt_writer *w);
void cca_dtb_rtc(uint64_t at, uint32_t spi, uint32_t clock, fdt_writer *w);
/* A region of the event log below reserved-memory, when there is one; `cells_first` is the order of
 * the VMM's properties. */
void cca_dtb_event_log(const cca_layout *l, bool cells_first, fdt_writer *w);

#endif
