/* SPDX-License-Identifier: Apache-2.0 */
/* QEMU's virt machine (9.1), as patched for CCA. */
#include "tee/cca/measure/kernel.h"
#include "tee/cca/measure/layout.h"

/* The memory map. */
enum { FLASH_SIZE = 0x08000000 };
enum {
    GIC_DIST = 0x08000000,
    GIC_DIST_SIZE = 0x10000,
    GIC_ITS = 0x08080000,
    GIC_ITS_SIZE = 0x20000
};
enum { GIC_REDIST = 0x080a0000, GIC_REDIST_SIZE = 0xf60000, GIC_REDIST_EACH = 0x20000 };
enum { UART_BASE = 0x09000000, RTC_BASE = 0x09010000 };
enum { FW_CFG = 0x09020000, FW_CFG_SIZE = 0x18 };
enum { VIRTIO_BASE = 0x0a000000, VIRTIO_SIZE = 0x200, VIRTIO_DEVICES = 32 };
enum { PLATFORM_BUS = 0x0c000000, PLATFORM_BUS_SIZE = 0x02000000 };
enum { PCI_MMIO = 0x10000000, PCI_MMIO_SIZE = 0x2eff0000, PCI_PORTS = 0x3eff0000 };
enum { PCI_PORTS_SIZE = 0x10000 };
static const uint64_t RAM_BASE = 0x40000000;
static const uint64_t HIGH_REDIST = 0x4000000000, HIGH_REDIST_SIZE = 0x4000000;
static const uint64_t HIGH_PCI_CFG = 0x4010000000, HIGH_PCI_CFG_SIZE = 0x10000000;
static const uint64_t HIGH_PCI_MMIO = 0x8000000000, HIGH_PCI_MMIO_SIZE = 0x8000000000;

/* Shared peripheral interrupts. */
enum { SPI_UART = 1, SPI_RTC = 2, SPI_PCI = 3, SPI_VIRTIO = 16, PCI_PINS = 4 };
enum { PHANDLE_CLOCK = 0x8000 };

/* ---- layout -----------------------------------------------------------------------------------
 */

/* Up to 255 GiB the regions above RAM are where they always are, and end at 40 bits; the
 * unprotected half takes one more. */
static vs_code check(const cca_layout *l, cca_host *h, vs_error *err)
{
    enum { IPA_BITS = 41, RAM_MAX_GIB = 255 };
    if (l->ram_size > RAM_MAX_GIB * GIB)
        return vs_fail(err, VS_E_UNSUPPORTED,
                       "QEMU with more than 255 GiB of RAM has another memory map, which is not "
                       "modelled");
    if (h->ipa_bits != CCA_HOST_UNKNOWN && h->ipa_bits < IPA_BITS)
        return vs_fail(err, VS_E_INVALID,
                       "the host's %d IPA bits are too few for QEMU's memory map, which takes %d",
                       h->ipa_bits, IPA_BITS);
    cca_host most = CCA_HOST_NOTHING;
    most.ipa_bits = IPA_BITS;
    cca_host_restrict(h, &most);
    return VS_OK;
}

static vs_code boot_kernel(const cca_vmm_config *c, cca_plan *p, cca_layout *l, vs_error *err)
{
    VS_TRY(cca_place_kernel(c, RAM_BASE, p, l, err));
    uint64_t half = l->ram_size / 2 < 128 * MIB ? l->ram_size / 2 : 128 * MIB;
    uint64_t at = RAM_BASE + half > l->kernel_end ? RAM_BASE + half : l->kernel_end;
    at = align_up(at, 4 * KIB);
    if (c->initrd) {
        l->initrd_at = at;
        l->initrd_size = c->initrd->size;
        VS_TRY(cca_check_room("initrd", l->initrd_size, "RAM's size", l->ram_size, err));
        VS_TRY(cca_image_add_blob(&p->image, "initrd", at, *c->initrd, err));
    }
    l->dtb_at = align_up(at + l->initrd_size, 2 * MIB);
    return VS_OK;
}

/* The firmware gets kernel and initrd over fw-cfg and measures them itself. */
static vs_code boot_firmware(const cca_vmm_config *c, cca_plan *p, vs_error *err)
{
    cca_kernel k;
    if (c->kernel) {
        VS_TRY(cca_kernel_read(c->kernel, &k, err));
        p->rem0[p->n_rem0++] = c->kernel;
    }
    if (c->initrd)
        p->rem0[p->n_rem0++] = c->initrd;
    p->image.rom[p->image.n_rom++] = (cca_range){0, FLASH_SIZE};
    return cca_image_add_blob(&p->image, "firmware", 0, *c->firmware, err);
}

vs_code cca_qemu_layout(const cca_vmm_config *c, cca_host *h, cca_plan *p, cca_layout *l,
                        vs_error *err)
{
    l->ram_base = RAM_BASE;
    l->ram_size = c->ram ? c->ram : 128 * MIB;
    l->dtb_at = RAM_BASE;
    VS_TRY(check(l, h, err));
    if (c->firmware)
        VS_TRY(boot_firmware(c, p, err));
    else if (c->kernel)
        VS_TRY(boot_kernel(c, p, l, err));
    cca_rec boot = {.runnable = true};
    if (!c->firmware) {
        boot.pc = RAM_BASE;
        boot.gprs[0] = l->dtb_at;
    }
    p->image.recs[p->image.n_recs++] = boot;
    if (c->event_log) {
        l->log_at = l->dtb_at + MIB;
        l->log_size = 64 * KIB;
    }
    return VS_OK;
}

/* ---- devicetree -------------------------------------------------------------------------------
 */

/* QEMU hands phandles out from the clock on: one per CPU, then the interrupt controller and its
 * ITS. */
static uint32_t gic_phandle(const cca_vmm_config *c)
{
    return PHANDLE_CLOCK + (c->cpus ? c->cpus : 1) + 1;
}

static uint32_t its_phandle(const cca_vmm_config *c)
{
    return gic_phandle(c) + 1;
}

static void add_platform_bus(const cca_vmm_config *c, fdt_writer *w)
{
    fdt_begin_at(w, "platform-bus", PLATFORM_BUS);
    FDT_CELLS(w, "interrupt-parent", gic_phandle(c));
    FDT_CELLS(w, "ranges", 0, 0, PLATFORM_BUS, PLATFORM_BUS_SIZE);
    FDT_CELLS(w, "#address-cells", 1);
    FDT_CELLS(w, "#size-cells", 1);
    fdt_texts(w, "compatible", VS_LIT("qemu,platform\0simple-bus\0"));
    fdt_end(w);
}

static void add_fw_cfg_and_virtio(fdt_writer *w)
{
    fdt_begin_at(w, "fw-cfg", FW_CFG);
    fdt_flag(w, "dma-coherent");
    FDT_PAIRS(w, "reg", FW_CFG, FW_CFG_SIZE);
    fdt_text(w, "compatible", "qemu,fw-cfg-mmio");
    fdt_end(w);
    for (uint32_t i = 0; i < VIRTIO_DEVICES; i++) {
        uint64_t at = VIRTIO_BASE + (uint64_t)i * VIRTIO_SIZE;
        fdt_begin_at(w, "virtio_mmio", at);
        fdt_flag(w, "dma-coherent");
        FDT_CELLS(w, "interrupts", IRQ_SPI, SPI_VIRTIO + i, IRQ_EDGE_RISING);
        FDT_PAIRS(w, "reg", at, VIRTIO_SIZE);
        fdt_text(w, "compatible", "virtio,mmio");
        fdt_end(w);
    }
}

/* Four lines, by slot and pin. */
static void add_pci_interrupts(const cca_vmm_config *c, fdt_writer *w)
{
    enum { ENTRY = 10 };
    uint32_t map[PCI_PINS * PCI_PINS * ENTRY], *to = map;
    for (uint32_t slot = 0; slot < PCI_PINS; slot++) {
        for (uint32_t pin = 0; pin < PCI_PINS; pin++, to += ENTRY) {
            const uint32_t entry[ENTRY] = {slot << 11,
                                           0,
                                           0,
                                           pin + 1,
                                           gic_phandle(c),
                                           0,
                                           0,
                                           IRQ_SPI,
                                           SPI_PCI + (pin + slot) % PCI_PINS,
                                           IRQ_LEVEL_HIGH};
            memcpy(to, entry, sizeof entry);
        }
    }
    fdt_cells(w, "interrupt-map", map, VS_COUNT(map));
    FDT_CELLS(w, "interrupt-map-mask", (PCI_PINS - 1) << 11, 0, 0, 7);
    FDT_CELLS(w, "#interrupt-cells", 1);
}

static void add_pci(const cca_vmm_config *c, fdt_writer *w)
{
    fdt_begin_at(w, "pcie", PCI_MMIO);
    add_pci_interrupts(c, w);
    const cca_pci pci = {.ports = PCI_PORTS,
                         .ports_size = PCI_PORTS_SIZE,
                         .mmio = PCI_MMIO,
                         .mmio_size = PCI_MMIO_SIZE,
                         .high_mmio = HIGH_PCI_MMIO,
                         .high_mmio_size = HIGH_PCI_MMIO_SIZE,
                         .config = HIGH_PCI_CFG,
                         .config_size = HIGH_PCI_CFG_SIZE,
                         .its_phandle = its_phandle(c),
                         .msi_devices = c->no_its ? 0 : 0x10000,
                         .last_bus = 0xff};
    cca_dtb_pci(&pci, w);
    fdt_end(w);
}

static void add_serial(fdt_writer *w)
{
    fdt_begin_at(w, "pl011", UART_BASE);
    fdt_texts(w, "clock-names", VS_LIT("uartclk\0apb_pclk\0"));
    FDT_PAIRS(w, "reg", UART_BASE, CCA_PL_SIZE);
    FDT_CELLS(w, "clocks", PHANDLE_CLOCK, PHANDLE_CLOCK);
    FDT_CELLS(w, "interrupts", IRQ_SPI, SPI_UART, IRQ_LEVEL_HIGH);
    fdt_texts(w, "compatible", VS_LIT("arm,pl011\0arm,primecell\0"));
    fdt_end(w);
}

static void add_gic(const cca_vmm_config *c, fdt_writer *w)
{
    const uint64_t reg[] = {GIC_DIST,        GIC_DIST_SIZE, GIC_REDIST,
                            GIC_REDIST_SIZE, HIGH_REDIST,   HIGH_REDIST_SIZE};
    const cca_gic gic = {.reg = reg,
                         .redist_regions = c->cpus > GIC_REDIST_SIZE / GIC_REDIST_EACH ? 2 : 1,
                         .its_at = GIC_ITS,
                         .its_size = c->no_its ? 0 : GIC_ITS_SIZE,
                         .phandle = gic_phandle(c),
                         .its_phandle = its_phandle(c)};
    cca_dtb_gic(&gic, w);
}

void cca_qemu_dtb(const cca_vmm_config *c, bool pmu, const cca_layout *l, fdt_writer *w)
{
    cca_dtb_begin(c, c->cmdline, l, gic_phandle(c), w);
    add_platform_bus(c, w);
    cca_dtb_event_log(l, false, w);
    add_fw_cfg_and_virtio(w);
    add_pci(c, w);
    cca_dtb_rtc(RTC_BASE, SPI_RTC, PHANDLE_CLOCK, w);
    add_serial(w);
    if (pmu)
        cca_dtb_pmu(w);
    add_gic(c, w);
    cca_dtb_timer(w, IRQ_LEVEL_HIGH);
    cca_dtb_clock(PHANDLE_CLOCK, w);
    fdt_end(w);
}
