/* SPDX-License-Identifier: Apache-2.0 */
/* The nodes of a realm's devicetree that all VMMs have. */
#include <stdio.h>

#include "tee/cca/measure/layout.h"

static void add_chosen(const char *bootargs, const cca_layout *l, fdt_writer *w)
{
    fdt_begin(w, "chosen");
    if (bootargs)
        fdt_text(w, "bootargs", bootargs);
    if (l->initrd_size) {
        FDT_PAIRS(w, "linux,initrd-start", l->initrd_at);
        FDT_PAIRS(w, "linux,initrd-end", l->initrd_at + l->initrd_size);
    }
    fdt_end(w);
}

/* The RMM wants MPIDRs in order, 16 to a cluster; `reg` is where the guest looks for them. */
static uint32_t mpidr(uint32_t cpu)
{
    enum { CLUSTER = 16 };
    return cpu / CLUSTER << 8 | cpu % CLUSTER;
}

static void add_cpus(const cca_vmm_config *c, fdt_writer *w)
{
    fdt_begin(w, "cpus");
    FDT_CELLS(w, "#size-cells", 0);
    FDT_CELLS(w, "#address-cells", 1);
    for (uint32_t i = 0; i < (c->cpus ? c->cpus : 1); i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "cpu@%u", i);
        fdt_begin(w, name);
        FDT_CELLS(w, "reg", mpidr(i));
        fdt_text(w, "enable-method", "psci");
        fdt_text(w, "compatible", "arm,armv8");
        fdt_text(w, "device_type", "cpu");
        fdt_end(w);
    }
    fdt_end(w);
}

/* What the RMM has of PSCI. */
static void add_psci(fdt_writer *w)
{
    fdt_begin(w, "psci");
    FDT_CELLS(w, "cpu_on", 0xc4000003);
    FDT_CELLS(w, "cpu_off", 0x84000002);
    fdt_text(w, "method", "smc");
    fdt_texts(w, "compatible", VS_LIT("arm,psci-1.0\0arm,psci-0.2\0arm,psci\0"));
    fdt_end(w);
}

void cca_dtb_begin(const cca_vmm_config *c, const char *bootargs, const cca_layout *l,
                   uint32_t interrupt_parent, fdt_writer *w)
{
    fdt_begin(w, "");
    fdt_text(w, "compatible", "linux,dummy-virt");
    fdt_text(w, "model", "linux,dummy-virt-realm");
    FDT_CELLS(w, "#address-cells", 2);
    FDT_CELLS(w, "#size-cells", 2);
    FDT_CELLS(w, "interrupt-parent", interrupt_parent);
    add_chosen(bootargs, l, w);
    fdt_begin_at(w, "memory", l->ram_base);
    fdt_text(w, "device_type", "memory");
    FDT_PAIRS(w, "reg", l->ram_base, l->ram_size);
    fdt_end(w);
    add_cpus(c, w);
    add_psci(w);
}

void cca_dtb_timer(fdt_writer *w, uint32_t trigger)
{
    enum { SECURE = 13, NON_SECURE = 14, VIRTUAL = 11 };
    fdt_begin(w, "timer");
    FDT_CELLS(w, "interrupts", IRQ_PPI, SECURE, trigger, IRQ_PPI, NON_SECURE, trigger, IRQ_PPI,
              VIRTUAL, trigger);
    fdt_flag(w, "always-on");
    fdt_texts(w, "compatible", VS_LIT("arm,armv8-timer\0arm,armv7-timer\0"));
    fdt_end(w);
}

void cca_dtb_pmu(fdt_writer *w)
{
    enum { PMU = 7 };
    fdt_begin(w, "pmu");
    FDT_CELLS(w, "interrupts", IRQ_PPI, PMU, IRQ_LEVEL_HIGH);
    fdt_text(w, "compatible", "arm,armv8-pmuv3");
    fdt_end(w);
}

void cca_dtb_gic(const cca_gic *g, fdt_writer *w)
{
    fdt_begin_at(w, "intc", g->reg[0]);
    FDT_CELLS(w, "phandle", g->phandle);
    fdt_pairs(w, "reg", g->reg, 2 + 2 * (size_t)g->redist_regions);
    FDT_CELLS(w, "#redistributor-regions", g->redist_regions);
    fdt_text(w, "compatible", "arm,gic-v3");
    fdt_flag(w, "ranges");
    FDT_CELLS(w, "#size-cells", 2);
    FDT_CELLS(w, "#address-cells", 2);
    fdt_flag(w, "interrupt-controller");
    FDT_CELLS(w, "#interrupt-cells", 3);
    if (g->its_size) {
        fdt_begin_at(w, "its", g->its_at);
        FDT_CELLS(w, "phandle", g->its_phandle);
        FDT_PAIRS(w, "reg", g->its_at, g->its_size);
        FDT_CELLS(w, "#msi-cells", 1);
        fdt_flag(w, "msi-controller");
        fdt_text(w, "compatible", "arm,gic-v3-its");
        fdt_end(w);
    }
    fdt_end(w);
}

void cca_dtb_pci(const cca_pci *p, fdt_writer *w)
{
    FDT_CELLS(w, "ranges", PCI_IO, 0, 0, 0, low32(p->ports), 0, low32(p->ports_size), PCI_MEM32, 0,
              low32(p->mmio), 0, low32(p->mmio), 0, low32(p->mmio_size), PCI_MEM64,
              high32(p->high_mmio), low32(p->high_mmio), high32(p->high_mmio), low32(p->high_mmio),
              high32(p->high_mmio_size), low32(p->high_mmio_size));
    FDT_PAIRS(w, "reg", p->config, p->config_size);
    if (p->msi_devices)
        FDT_CELLS(w, "msi-map", 0, p->its_phandle, 0, p->msi_devices);
    fdt_flag(w, "dma-coherent");
    FDT_CELLS(w, "bus-range", 0, p->last_bus);
    FDT_CELLS(w, "linux,pci-domain", 0);
    FDT_CELLS(w, "#size-cells", 2);
    FDT_CELLS(w, "#address-cells", 3);
    fdt_text(w, "device_type", "pci");
    fdt_text(w, "compatible", "pci-host-ecam-generic");
}

void cca_dtb_clock(uint32_t phandle, fdt_writer *w)
{
    fdt_begin(w, "apb-pclk");
    FDT_CELLS(w, "phandle", phandle);
    fdt_text(w, "clock-output-names", "clk24mhz");
    FDT_CELLS(w, "clock-frequency", 24000000);
    FDT_CELLS(w, "#clock-cells", 0);
    fdt_text(w, "compatible", "fixed-clock");
    fdt_end(w);
}

void cca_dtb_rtc(uint64_t at, uint32_t spi, uint32_t clock, fdt_writer *w)
{
    fdt_begin_at(w, "pl031", at);
    fdt_text(w, "clock-names", "apb_pclk");
    FDT_PAIRS(w, "reg", at, CCA_PL_SIZE);
    FDT_CELLS(w, "clocks", clock);
    FDT_CELLS(w, "interrupts", IRQ_SPI, spi, IRQ_LEVEL_HIGH);
    fdt_texts(w, "compatible", VS_LIT("arm,pl031\0arm,primecell\0"));
    fdt_end(w);
}

void cca_dtb_event_log(const cca_layout *l, bool cells_first, fdt_writer *w)
{
    if (!l->log_size)
        return;
    fdt_begin(w, "reserved-memory");
    if (cells_first) {
        FDT_CELLS(w, "#address-cells", 2);
        FDT_CELLS(w, "#size-cells", 2);
        fdt_flag(w, "ranges");
    } else {
        fdt_flag(w, "ranges");
        FDT_CELLS(w, "#size-cells", 2);
        FDT_CELLS(w, "#address-cells", 2);
    }
    fdt_begin_at(w, "event-log", l->log_at);
    if (cells_first)
        fdt_text(w, "compatible", "cc-event-log");
    FDT_PAIRS(w, "reg", l->log_at, l->log_size);
    if (!cells_first)
        fdt_text(w, "compatible", "cc-event-log");
    fdt_end(w);
    fdt_end(w);
}
