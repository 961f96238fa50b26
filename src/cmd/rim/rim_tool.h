/* SPDX-License-Identifier: Apache-2.0 */
/* What the subcommands of `vouchsafe rim` share: options, inputs, results. */
#ifndef VS_CMD_RIM_TOOL_H
#define VS_CMD_RIM_TOOL_H

#include "cmd/cli.h"
#include "tee/cca/measure/host.h"
#include "tee/cca/measure/image.h"
#include "value/json.h"

typedef struct rim_cli {
    const char *memory, *cpus, *kernel, *initrd, *firmware, *firmware_at, *dtb, *cmdline, *virtio;
    bool cmdline_as_is, event_log, no_its, no_serial, pmu, no_pmu;
    cli_list hosts;
    const char *ipa_bits, *num_bps, *num_wps, *pmu_num_ctrs, *sve_vl, *lpa2; /* override hosts */
    const char *hash, *rmm, *flags;
    const char *output, *output_dtb, *rpv, *entity;
    bool trace;
    const char *description;   /* image */
    const char *index, *start; /* rem */
    cli_list items;
} rim_cli;

int rim_run_kvmtool(void *opts);
int rim_run_qemu(void *opts);
int rim_run_cloud_hypervisor(void *opts);
int rim_run_image(void *opts);
int rim_run_rem(void *opts);

/* "vouchsafe rim: ..." on standard error; the exit code. */
int rim_finish(vs_code code, const vs_error *err);

/* ---- inputs -----------------------------------------------------------------------------------
 */

/* A file that is measured. Zero-initialise with RIM_INPUT. A regular file is read where it lies and
 * must not change meanwhile; anything else is read into memory at once, as is what is unpacked. */
typedef struct rim_input {
    int fd;
    vs_buf memory;
    cca_source source;
} rim_input;

enum { RIM_MEMORY_MAX = 256 * 1024 * 1024 }; /* what QEMU unpacks at most */
#define RIM_INPUT                                                                                  \
    {                                                                                              \
        .fd = -1, .memory = VS_BUF(RIM_MEMORY_MAX)                                                 \
    }

VS_MUST vs_code rim_open(const char *path, bool gunzip, rim_input *out, vs_error *err);
void rim_close(rim_input *in);

/* The hosts of the command line, lowered one by another, then what single options say. */
VS_MUST vs_code rim_host(const rim_cli *o, cca_host *out, vs_error *err);
/* A number from 0 to `most`, decimal or 0x...; `fallback` when `text` is NULL. */
VS_MUST vs_code rim_number(const char *option, const char *text, uint64_t most, uint64_t fallback,
                           uint64_t *out, vs_error *err);
/* sha256, ...; VS_HASH_NONE when `text` is NULL. */
VS_MUST vs_code rim_hash(const char *text, vs_hash *out, vs_error *err);

/* ---- results ----------------------------------------------------------------------------------
 */

typedef struct rim_result {
    const char *vmm; /* "qemu"; NULL: an image described by a file */
    const cca_image *image;
    cca_rim rim;   /* by rim_measure */
    bool has_rem0; /* what firmware is expected to make of kernel and initrd */
    uint8_t rem0[VS_HASH_MAX];
    vs_span dtb;   /* for --output-dtb */
    bool dtb_made; /* here, and not given */
    vs_span steps; /* --trace: lines "command\tRIM in hex\n"; p == NULL: none */
} rim_result;

/* A member of a JSON object. */
static inline void rim_put_text(vs_jw *w, const char *key, const char *v)
{
    vs_jw_key(w, key);
    vs_jw_str(w, v);
}
static inline void rim_put_span(vs_jw *w, const char *key, vs_span v)
{
    vs_jw_key(w, key);
    vs_jw_span(w, v);
}

typedef enum rim_form {
    RIM_TEXT,
    RIM_JSON,
    RIM_HEX,
    RIM_BASE64,
    RIM_REFERENCE_VALUES,
    RIM_COMID_TEMPLATE,
    RIM_CORIM_TEMPLATE,
    RIM_CORIM,
} rim_form;

/* "auto": text on a terminal, else JSON. */
VS_MUST vs_code rim_form_of(const char *name, rim_form *out, vs_error *err);
/* RIM_HEX or RIM_BASE64, and a line feed. */
void rim_put_value(vs_buf *out, rim_form form, vs_span value);
/* To standard output. */
VS_MUST vs_code rim_print(const rim_cli *o, rim_form form, const rim_result *r, vs_error *err);
/* cocli's input (cca.md 6.3). */
VS_MUST vs_code rim_comid_template(const rim_cli *o, const rim_result *r, vs_arena *a, vs_val *out,
                                   vs_error *err);
VS_MUST vs_code rim_corim_template(const rim_cli *o, const rim_result *r, vs_arena *a, vs_val *out,
                                   vs_error *err);
/* What `vouchsafe corim create` makes of the two: a manifest in CBOR, not signed. */
VS_MUST vs_code rim_corim(const rim_cli *o, const rim_result *r, vs_arena *a, vs_buf *out,
                          vs_error *err);

/* Measures, with the steps when they are asked for, writes the devicetree and prints. */
VS_MUST vs_code rim_measure(const rim_cli *o, rim_result *r, vs_error *err);

#endif
