/* SPDX-License-Identifier: Apache-2.0 */
/* kvmtool, as patched for CCA. */
#include <stdio.h>

#include "tee/cca/measure/layout.h"

/* The memory map below RAM. */
enum { UART_BASE = 0x01000000, UART_STRIDE = 0x1000, UART_SIZE = 8, UARTS = 4 };
enum { RTC_BASE = 0x01010000, RTC_SIZE = 2 };
enum { VIRTIO_BASE = 0x03000000, VIRTIO_SIZE = 0x200, VIRTIO_MAX = 60 };
enum { GIC_DIST = 0x3fff0000, GIC_DIST_SIZE = 0x10000, GIC_REDIST_SIZE = 0x20000 };
enum { GIC_ITS_SIZE = 0x20000 };
enum { PCI_CFG = 0x40000000, PCI_CFG_SIZE = 0x10000000, PCI_IO_SIZE = 0x10000 };
enum { PCI_MMIO = 0x50000000, PCI_MMIO_SIZE = 0x30000000 };
static const uint64_t RAM_BASE = 0x80000000;

/* Shared peripheral interrupts. */
enum { SPI_UART = 0, SPI_VIRTIO = 4, SPI_PCI = 64, PCI_SLOTS = 32 };
enum { PHANDLE_GIC = 1, PHANDLE_ITS = 2 };

/* ---- layout -----------------------------------------------------------------------------------
 */

static vs_code check(const cca_vmm_config *c, vs_error *err)
{
    if (c->ram == 0)
        return vs_fail(err, VS_E_INVALID,
                       "the amount of RAM is missing: kvmtool's default depends on the host");
    if (c->ram % (2 * MIB))
        return vs_fail(err, VS_E_INVALID, "kvmtool's RAM must be a multiple of 2 MiB");
    if (c->cpus == 0)
        return vs_fail(err, VS_E_INVALID,
                       "the number of CPUs is missing: kvmtool's default depends on the host");
    if (c->kernel && c->firmware)
        return vs_fail(err, VS_E_INVALID, "kvmtool takes a kernel or a firmware, not both");
    if (c->firmware_at && !c->firmware)
        return vs_fail(err, VS_E_INVALID, "an address for a firmware, but no firmware");
    if (c->virtio_mmio > VIRTIO_MAX)
        return vs_fail(err, VS_E_INVALID, "%u virtio-mmio devices: there are interrupts for %d",
                       c->virtio_mmio, VIRTIO_MAX);
    return VS_OK;
}

static void place_dtb(const cca_vmm_config *c, cca_layout *l)
{
    uint64_t limit = RAM_BASE + 256 * MIB, end = l->ram_base + l->ram_size;
    l->dtb_size = 64 * KIB;
    l->dtb_at = end < limit ? end : limit;
    if (c->event_log) {
        l->log_size = 64 * KIB;
        l->log_at = l->dtb_at -= l->log_size;
    }
    l->dtb_at = align_up(l->dtb_at - (2 * MIB + l->dtb_size), 2 * MIB);
}

static vs_code place_initrd(const cca_vmm_config *c, cca_plan *p, cca_layout *l, vs_error *err)
{
    enum { ALIGN = 4 };
    uint64_t room = l->dtb_at - l->ram_base;
    l->initrd_size = c->initrd->size;
    if (l->initrd_size > room || room - l->initrd_size < ALIGN)
        return vs_fail(err, VS_E_INVALID,
                       "the initrd, %llu bytes, does not fit between the start of RAM and the "
                       "devicetree at 0x%llx",
                       (unsigned long long)l->initrd_size, (unsigned long long)l->dtb_at);
    l->initrd_at = align_up(l->dtb_at - l->initrd_size - ALIGN, ALIGN);
    return cca_image_add_blob(&p->image, "initrd", l->initrd_at, *c->initrd, err);
}

static uint8_t ipa_bits(const cca_layout *l)
{
    uint64_t last = l->ram_base + l->ram_size - 1;
    unsigned bits = 63 - (unsigned)__builtin_clzll(last);
    return (uint8_t)((bits > 32 ? bits : 32) + 1);
}

vs_code cca_kvmtool_layout(const cca_vmm_config *c, cca_host *h, cca_plan *p, cca_layout *l,
                           vs_error *err)
{
    VS_TRY(check(c, err));
    cca_rec boot = {.runnable = true};
    l->ram_base = RAM_BASE;
    l->ram_size = c->ram;
    place_dtb(c, l);
    if (c->kernel) {
        boot.pc = RAM_BASE;
        VS_TRY(cca_place_kernel(c, RAM_BASE, p, l, err));
    }
    if (c->initrd)
        VS_TRY(place_initrd(c, p, l, err));
    VS_TRY(cca_check_room("kernel, with the memory that it clears,", l->kernel_end,
                          c->initrd ? "initrd" : "devicetree", c->initrd ? l->initrd_at : l->dtb_at,
                          err));
    if (c->firmware) {
        boot.pc = c->firmware_at ? *c->firmware_at : RAM_BASE;
        VS_TRY(cca_image_add_blob(&p->image, "firmware", boot.pc, *c->firmware, err));
    }
    boot.gprs[0] = l->dtb_at;
    p->image.recs[p->image.n_recs++] = boot;
    cca_host most = CCA_HOST_NOTHING;
    most.ipa_bits = ipa_bits(l);
    cca_host_restrict(h, &most);
    return VS_OK;
}

/* ---- devicetree -------------------------------------------------------------------------------
 */

static void add_gic(const cca_vmm_config *c, fdt_writer *w)
{
    uint64_t redist_size = (uint64_t)c->cpus * GIC_REDIST_SIZE;
    uint64_t redist = GIC_DIST - redist_size;
    fdt_begin(w, "intc");
    fdt_text(w, "compatible", "arm,gic-v3");
    FDT_CELLS(w, "#interrupt-cells", 3);
    fdt_flag(w, "interrupt-controller");
    FDT_PAIRS(w, "reg", GIC_DIST, GIC_DIST_SIZE, redist, redist_size);
    FDT_CELLS(w, "phandle", PHANDLE_GIC);
    FDT_CELLS(w, "#address-cells", 2);
    FDT_CELLS(w, "#size-cells", 2);
    fdt_flag(w, "ranges");
    if (!c->no_its) {
        fdt_begin(w, "msic");
        fdt_text(w, "compatible", "arm,gic-v3-its");
        fdt_flag(w, "msi-controller");
        FDT_CELLS(w, "phandle", PHANDLE_ITS);
        FDT_PAIRS(w, "reg", redist - GIC_ITS_SIZE, GIC_ITS_SIZE);
        fdt_end(w);
    }
    fdt_end(w);
}

static void add_serial_ports(fdt_writer *w)
{
    for (uint32_t i = 0; i < UARTS; i++) {
        uint64_t at = UART_BASE + (uint64_t)i * UART_STRIDE;
        fdt_begin_at(w, "U6_16550A", at);
        fdt_text(w, "compatible", "ns16550a");
        FDT_PAIRS(w, "reg", at, UART_SIZE);
        FDT_CELLS(w, "interrupts", IRQ_SPI, SPI_UART + i, IRQ_LEVEL_HIGH);
        FDT_CELLS(w, "clock-frequency", 1843200);
        fdt_end(w);
    }
}

static void add_virtio(const cca_vmm_config *c, fdt_writer *w)
{
    for (uint32_t i = 0; i < c->virtio_mmio; i++) {
        uint64_t at = VIRTIO_BASE + (uint64_t)i * VIRTIO_SIZE;
        fdt_begin_at(w, "virtio", at);
        fdt_text(w, "compatible", "virtio,mmio");
        FDT_PAIRS(w, "reg", at, VIRTIO_SIZE);
        fdt_flag(w, "dma-coherent");
        FDT_CELLS(w, "interrupts", IRQ_SPI, SPI_VIRTIO + i, IRQ_EDGE_RISING);
        fdt_end(w);
    }
}

/* One interrupt per slot, pin A only. */
static void add_pci_interrupts(fdt_writer *w)
{
    enum { ENTRY = 10 };
    uint32_t map[PCI_SLOTS * ENTRY];
    for (uint32_t slot = 0; slot < PCI_SLOTS; slot++) {
        const uint32_t entry[ENTRY] = {
            slot << 11, 0, 0, 1, PHANDLE_GIC, 0, 0, IRQ_SPI, SPI_PCI + slot, IRQ_LEVEL_HIGH};
        memcpy(map + (size_t)slot * ENTRY, entry, sizeof entry);
    }
    fdt_cells(w, "interrupt-map", map, VS_COUNT(map));
    FDT_CELLS(w, "interrupt-map-mask", (PCI_SLOTS - 1) << 11, 0, 0, 7);
    FDT_CELLS(w, "#interrupt-cells", 1);
}

static void add_pci(const cca_vmm_config *c, fdt_writer *w)
{
    fdt_begin_at(w, "pci", PCI_CFG);
    fdt_text(w, "device_type", "pci");
    FDT_CELLS(w, "#address-cells", 3);
    FDT_CELLS(w, "#size-cells", 2);
    fdt_flag(w, "dma-coherent");
    FDT_CELLS(w, "bus-range", 0, 0);
    fdt_text(w, "compatible", "pci-host-ecam-generic");
    FDT_PAIRS(w, "reg", PCI_CFG, PCI_CFG_SIZE);
    FDT_CELLS(w, "ranges", PCI_IO, 0, 0, 0, 0, 0, PCI_IO_SIZE, PCI_MEM32, 0, PCI_MMIO, 0, PCI_MMIO,
              0, PCI_MMIO_SIZE);
    add_pci_interrupts(w);
    if (!c->no_its)
        FDT_CELLS(w, "msi-map", 0, PHANDLE_ITS, 0, 0x10000);
    fdt_end(w);
}

/* kvmtool puts a console and a root file system before what it is given. */
static const char *bootargs(const cca_vmm_config *c, char *room, size_t n)
{
    bool more = c->cmdline && *c->cmdline;
    if (c->cmdline_as_is)
        return more ? c->cmdline : NULL;
    (void)snprintf(room, n, " console=hvc0 root=/dev/vda rw %s%s", more ? " " : "",
                   more ? c->cmdline : "");
    return room;
}

void cca_kvmtool_dtb(const cca_vmm_config *c, bool pmu, const cca_layout *l, fdt_writer *w)
{
    char room[CCA_CMDLINE_MAX + 64];
    cca_dtb_begin(c, bootargs(c, room, sizeof room), l, PHANDLE_GIC, w);
    add_gic(c, w);
    cca_dtb_event_log(l, true, w);
    cca_dtb_timer(w, IRQ_LEVEL_LOW);
    if (pmu)
        cca_dtb_pmu(w);
    add_serial_ports(w);
    add_virtio(c, w);
    fdt_begin_at(w, "rtc", RTC_BASE);
    fdt_text(w, "compatible", "motorola,mc146818");
    FDT_PAIRS(w, "reg", RTC_BASE, RTC_SIZE);
    fdt_end(w);
    add_pci(c, w);
    fdt_end(w);
}
