/* SPDX-License-Identifier: Apache-2.0 */
/* cloud-hypervisor, as patched for CCA. */
#include "tee/cca/measure/layout.h"

/* The memory map. */
enum { GIC_DIST = 0x08ff0000, GIC_DIST_SIZE = 0x10000 };
enum { GIC_REDIST_EACH = 0x20000, GIC_ITS_SIZE = 0x20000 }; /* below the distributor */
enum { UART_BASE = 0x09000000, RTC_BASE = 0x09010000 };
enum { PCI_PORTS = 0x09050000, PCI_PORTS_SIZE = 0x10000 };
enum { PCI_MMIO = 0x10000000, PCI_MMIO_SIZE = 0x20000000 };
enum { PCI_CONFIG = 0x30000000, PCI_CONFIG_SIZE = 0x100000 };
static const uint64_t RAM_BASE = 0x40000000, RAM_TOP = 0xfc000000, KERNEL_OFFSET = 0x400000;
static const uint64_t HIGH_PCI_MMIO = 0x200000000, HIGH_PCI_END = 0x3fff00000000;

enum { SPI_RTC = 8, SPI_UART = 11 };
enum { PHANDLE_GIC = 1, PHANDLE_ITS, PHANDLE_CLOCK };

/* ---- layout -----------------------------------------------------------------------------------
 */

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

/* ---- devicetree -------------------------------------------------------------------------------
 */

static void add_gic(const cca_vmm_config *c, fdt_writer *w)
{
    uint64_t redist_size = (uint64_t)(c->cpus ? c->cpus : 1) * GIC_REDIST_EACH;
    const uint64_t reg[] = {GIC_DIST, GIC_DIST_SIZE, GIC_DIST - redist_size, redist_size};
    const cca_gic gic = {.reg = reg,
                         .redist_regions = 1,
                         .its_at = GIC_DIST - redist_size - GIC_ITS_SIZE,
                         .its_size = GIC_ITS_SIZE,
                         .phandle = PHANDLE_GIC,
                         .its_phandle = PHANDLE_ITS};
    cca_dtb_gic(&gic, w);
}

static void add_serial(fdt_writer *w)
{
    fdt_begin_at(w, "pl011", UART_BASE);
    fdt_text(w, "clock-names", "apb_pclk");
    FDT_PAIRS(w, "reg", UART_BASE, CCA_PL_SIZE);
    FDT_CELLS(w, "clocks", PHANDLE_CLOCK);
    FDT_CELLS(w, "interrupts", IRQ_SPI, SPI_UART, IRQ_EDGE_RISING);
    fdt_texts(w, "compatible", VS_LIT("arm,pl011\0arm,primecell\0"));
    fdt_end(w);
}

/* Devices use MSIs only: there is no interrupt map. */
static void add_pci(fdt_writer *w)
{
    static const cca_pci pci = {.ports = PCI_PORTS,
                                .ports_size = PCI_PORTS_SIZE,
                                .mmio = PCI_MMIO,
                                .mmio_size = PCI_MMIO_SIZE,
                                .high_mmio = HIGH_PCI_MMIO,
                                .high_mmio_size = HIGH_PCI_END - HIGH_PCI_MMIO,
                                .config = PCI_CONFIG,
                                .config_size = PCI_CONFIG_SIZE,
                                .its_phandle = PHANDLE_ITS,
                                .msi_devices = 0x100};
    fdt_begin_at(w, "pcie", PCI_CONFIG);
    cca_dtb_pci(&pci, w);
    fdt_end(w);
}

void cca_cloud_hypervisor_dtb(const cca_vmm_config *c, const cca_layout *l, fdt_writer *w)
{
    cca_dtb_begin(c, c->cmdline, l, PHANDLE_GIC, w);
    add_gic(c, w);
    cca_dtb_timer(w, IRQ_LEVEL_HIGH);
    cca_dtb_pmu(w); /* there whether the realm has one or not, as cca-realm-measurements has it */
    cca_dtb_clock(PHANDLE_CLOCK, w);
    cca_dtb_rtc(RTC_BASE, SPI_RTC, PHANDLE_CLOCK, w);
    if (!c->no_serial)
        add_serial(w);
    add_pci(w);
    fdt_end(w);
}
