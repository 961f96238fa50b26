/* SPDX-License-Identifier: Apache-2.0 */
/* `vouchsafe rim`: its subcommands as tables. */
#include <stdlib.h>

#include "cmd/commands.h"
#include "cmd/rim/rim_tool.h"
#include "cmd/view.h"

#define AT(member) .at = offsetof(rim_cli, member)

/* What is loaded. */
#define KERNEL                                                                                     \
    {.name = "kernel", .letter = 'k', .value = "FILE", AT(kernel), .help = "arm64 Linux Image"},   \
        {.name = "initrd",                                                                         \
         .letter = 'i',                                                                            \
         .value = "FILE",                                                                          \
         AT(initrd),                                                                               \
         .help = "Initial RAM disk; needs a kernel"},                                              \
    {                                                                                              \
        .name = "cmdline", .letter = 'p', .value = "TEXT", AT(cmdline),                            \
        .help = "Command line of the kernel, which goes into the devicetree"                       \
    }
#define FIRMWARE                                                                                   \
    {                                                                                              \
        .name = "firmware", .letter = 'f', .value = "FILE", AT(firmware),                          \
        .help = "Firmware, such as EDK2"                                                           \
    }
#define DTB                                                                                        \
    {                                                                                              \
        .name = "dtb", .value = "FILE", AT(dtb),                                                   \
        .help = "Devicetree as the VMM loads it (dumped from it, or given to it)"                  \
    }
#define OUTPUT_DTB                                                                                 \
    {                                                                                              \
        .name = "output-dtb", .value = "FILE", AT(output_dtb),                                     \
        .help = "Write the devicetree that is measured, to be given to the VMM"                    \
    }
#define EVENT_LOG                                                                                  \
    {                                                                                              \
        .name = "event-log", AT(event_log), .help = "The VMM makes an event log (measurement log)" \
    }
#define NO_ITS                                                                                     \
    {                                                                                              \
        .name = "no-its", AT(no_its), .help = "The interrupt controller has no ITS"                \
    }

/* The machine. */
#define MEMORY(what)                                                                               \
    {                                                                                              \
        .name = "memory", .letter = 'm', .value = "SIZE", AT(memory),                              \
        .help = "RAM: 512M, 2G, or a number of MiB" what                                           \
    }
#define CPUS(what)                                                                                 \
    {                                                                                              \
        .name = "cpus", .letter = 'c', .value = "N", AT(cpus), .help = "Virtual CPUs" what         \
    }
#define PMU                                                                                        \
    {.name = "pmu", AT(pmu), .group = 1, .help = "The realm has a PMU"},                           \
    {                                                                                              \
        .name = "no-pmu", AT(no_pmu), .group = 1, .help = "The realm has none"                     \
    }
#define REALM                                                                                      \
    {.name = "hash",                                                                               \
     .value = "NAME",                                                                              \
     AT(hash),                                                                                     \
     .help = "sha256, sha512, or sha384 (RMM 2.0) [default: the VMM's]"},                          \
        {.name = "rmm",                                                                            \
         .value = "VERSION",                                                                       \
         AT(rmm),                                                                                  \
         .fallback = "1.0",                                                                        \
         .help = "RMM specification of the host: 1.0, 1.1 or 2.0; the RIM differs"},               \
        {.name = "host",                                                                           \
         .value = "NAME|FILE",                                                                     \
         .repeat = true,                                                                           \
         AT(hosts),                                                                                \
         .help = "Capabilities of hardware, hypervisor, RMM: each lowers the ones before"},        \
        {.name = "ipa-bits", .value = "N", AT(ipa_bits), .help = "Instead of the hosts' value"},   \
        {.name = "num-bps", .value = "N", AT(num_bps), .help = "Breakpoints, likewise"},           \
        {.name = "num-wps", .value = "N", AT(num_wps), .help = "Watchpoints, likewise"},           \
        {.name = "pmu-num-ctrs", .value = "N", AT(pmu_num_ctrs), .help = "PMU counters"},          \
        {.name = "sve-vl", .value = "BITS", AT(sve_vl), .help = "SVE vector length, 0 = no SVE"},  \
        {.name = "lpa2", .value = "true|false", AT(lpa2), .help = "LPA2"},                         \
    {                                                                                              \
        .name = "flags", .value = "N", AT(flags),                                                  \
        .help = "Further bits of the realm's flags, such as 0x8 (device assignment)"               \
    }

/* What comes out. */
#define OUTPUT                                                                                     \
    {.name = "output",                                                                             \
     .letter = 'o',                                                                                \
     .value = "FORM",                                                                              \
     .fallback = "auto",                                                                           \
     AT(output),                                                                                   \
     .help = "text, json, hex, base64, reference-values, comid-template, corim-template, corim; "  \
             "auto: "                                                                              \
             "text on a terminal, else json"},                                                     \
        {.name = "rpv",                                                                            \
         .value = "HEX",                                                                           \
         AT(rpv),                                                                                  \
         .help = "Personalization value for the endorsement; no part of the RIM"},                 \
        {.name = "entity",                                                                         \
         .value = "NAME",                                                                          \
         AT(entity),                                                                               \
         .help = "Who vouches for it, in the CoRIM"},                                              \
    {                                                                                              \
        .name = "trace", AT(trace), .help = "Show each measured command and the RIM after it"      \
    }

static const cli_option kvmtool_options[] = {
    MEMORY(""),
    CPUS(""),
    KERNEL,
    {.name = "cmdline-as-is",
     AT(cmdline_as_is),
     .help = "Without the console and root that kvmtool puts before it"},
    FIRMWARE,
    {.name = "firmware-address",
     .value = "ADDR",
     AT(firmware_at),
     .help = "Where, if not at the start of RAM"},
    DTB,
    OUTPUT_DTB,
    EVENT_LOG,
    NO_ITS,
    {.name = "virtio-mmio",
     .value = "N",
     AT(virtio),
     .help = "Devices, with --virtio-transport mmio (the network card counts)"},
    PMU,
    REALM,
    OUTPUT,
    {0}};
static const cli_option qemu_options[] = {MEMORY(" [default: 128M]"),
                                          CPUS(" [default: 1]"),
                                          KERNEL,
                                          FIRMWARE,
                                          DTB,
                                          OUTPUT_DTB,
                                          EVENT_LOG,
                                          NO_ITS,
                                          PMU,
                                          REALM,
                                          OUTPUT,
                                          {0}};
static const cli_option cloud_hypervisor_options[] = {
    MEMORY(" [default: 512M]"),
    CPUS(" [default: 1]"),
    KERNEL,
    DTB,
    OUTPUT_DTB,
    {.name = "no-serial", AT(no_serial), .help = "There is no serial port (its --serial off)"},
    PMU,
    REALM,
    OUTPUT,
    {0}};
static const cli_option image_options[] = {OUTPUT, {0}};
static const cli_option rem_options[] = {
    {.name = "index",
     .letter = 'n',
     .value = "1..4",
     AT(index),
     .fallback = "1",
     .help = "Which one, as RSI_MEASUREMENT_EXTEND counts; 1 is the token's first, REM0"},
    {.name = "hash", .value = "NAME", AT(hash), .fallback = "sha256", .help = "The realm's hash"},
    {.name = "start", .value = "HEX", AT(start), .help = "Its value before [default: zeros]"},
    {.name = "output",
     .letter = 'o',
     .value = "FORM",
     .fallback = "auto",
     AT(output),
     .help = "text, json, hex, base64; auto: text on a terminal, else json"},
    {.name = "trace", AT(trace), .help = "Show the value after each"},
    {0}};

static const cli_argument description[] = {
    {.name = "FILE", .help = "The description", .required = true, AT(description)}, {0}};
static const cli_argument items[] = {
    {.name = "ITEM",
     .help = "hex:616263, file:PATH (its bytes, 64 at most), digest:PATH (its hash)",
     .required = true,
     .repeat = true,
     AT(items)},
    {0}};

#define ABOUT_DTB                                                                                  \
    "  The devicetree is measured. Without --dtb one is made here: the one that\n"                 \
    "  cca-realm-measurements makes (the same bytes up to 16 CPUs). Start the VMM with it\n"       \
    "  (--output-dtb, then the VMM's own --dtb or -dtb). A VMM that makes its own devicetree\n"    \
    "  gives another RIM: dump that one and pass it with --dtb.\n"

static const cli_command commands[] = {
    {.name = "kvmtool",
     .summary = "A realm that kvmtool (lkvm run --realm) starts",
     .options = kvmtool_options,
     .run = rim_run_kvmtool,
     .more = ABOUT_DTB
     "\n"
     "  vouchsafe rim kvmtool --host fvp --host kvm -c 2 -m 512M -k Image -i initrd -p quiet\n"},
    {.name = "qemu",
     .summary = "A realm that QEMU (-M virt) starts",
     .options = qemu_options,
     .run = rim_run_qemu,
     .more = ABOUT_DTB
     "\n"
     "  A kernel may be gzipped. With --firmware, kernel and initrd are not in the RIM: the "
     "firmware\n"
     "  gets them at run time and is expected to extend REM0 with the hash of each.\n"
     "\n"
     "  vouchsafe rim qemu --host fvp --host kvm -m 1G -c 2 -k Image.gz -p root=/dev/vda2\n"},
    {.name = "cloud-hypervisor",
     .alias = "cloudhv",
     .summary = "A realm that cloud-hypervisor starts",
     .options = cloud_hypervisor_options,
     .run = rim_run_cloud_hypervisor,
     .more = ABOUT_DTB "\n"
                       "  vouchsafe rim cloud-hypervisor --host fvp --host kvm -m 1G -c 2 -k Image "
                       "-p console=hvc0\n"},
    {.name = "image",
     .summary = "A realm described by a TOML file",
     .options = image_options,
     .arguments = description,
     .run = rim_run_image,
     .more = "  hash = \"sha256\"                [[data]]                  # measured\n"
             "  rmm = \"1.0\"                    address = 0x40000000\n"
             "                                 file = \"Image\"\n"
             "  [realm]                        kernel = true             # adds text_offset\n"
             "  ipa_bits = 48\n"
             "  num_bps = 2                    [[rec]]\n"
             "  num_wps = 2                    pc = 0x40000000\n"
             "                                 gprs = [0x48000000]       # x0, ...\n"
             "  [[ram]]\n"
             "  base = 0x40000000              [[unmeasured]]            # after the RECs\n"
             "  size = 0x20000000              base = 0x48100000\n"
             "                                 size = 0x10000\n"
             "  Also flags, [[rom]] (base, size: no RIPAS), runnable in [[rec]], and in [realm]\n"
             "  pmu_num_ctrs, sve_vl, pmu, lpa2. Files are relative to the description.\n"},
    {.name = "rem",
     .summary = "A Realm Extensible Measurement after it was extended",
     .options = rem_options,
     .arguments = items,
     .run = rim_run_rem,
     .more = "  H(old value || data), data not padded, as the RMM does it. Firmware that measures "
             "what\n"
             "  it loads extends with the hash of a file:\n"
             "\n"
             "  vouchsafe rim rem --hash sha512 digest:Image digest:initrd\n"},
    {0}};

static const cli_command top = {
    .name = "vouchsafe rim",
    .summary = "Compute a Realm Initial Measurement (RIM) without running the realm",
    .commands = commands,
    .more =
        "  The RIM follows from everything that the host says when it creates the realm: hash, "
        "IPA\n"
        "  width, breakpoints and other capabilities, RAM, what is loaded where, the boot CPU's\n"
        "  registers, and the version of the RMM. What the host can do is given by --host: fvp,\n"
        "  qemu-max-8.2, kvm, rmm-1.0-eac5, or a TOML file with ipa_bits, num_bps, num_wps,\n"
        "  pmu_num_ctrs, sve_vl, pmu, lpa2. Breakpoints, watchpoints and IPA bits must be known; "
        "SVE,\n"
        "  PMU and LPA2 are off where no host has them.\n"
        "\n"
        "  vouchsafe rim qemu --host fvp --host kvm -m 1G -k Image -o reference-values > rv.json\n"
        "  rvps-tool register -p rv.json\n"
        "  vouchsafe rim qemu --host fvp --host kvm -m 1G -k Image -o corim > realm.cbor\n"
        "  vouchsafe corim sign -k signer.key --chain chain.pem -o realm.cose realm.cbor\n",
    .version = "vouchsafe " VS_VERSION};

int rim_finish(vs_code code, const vs_error *err)
{
    if (code != VS_OK)
        view_complain("vouchsafe", "rim", err);
    return code == VS_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}

int cmd_rim(int argc, char **argv)
{
    rim_cli o = {0};
    return cli_main(&top, argc, argv, &o);
}
