/* SPDX-License-Identifier: Apache-2.0 */
/* `secure-mount`: asks the data hub to open an encrypted disk, for scripts that start a guest; and
 * `luks2-header`: what the hub will see of a disk, for whoever makes one. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "api/cdh_rpc.h"
#include "api/guest_client.h"
#include "base/io.h"
#include "cdh/luks2_key.h"
#include "cmd/cli.h"
#include "cmd/guest/guest.h"
#include "net/pb_wire.h"
#include "value/json.h"

enum { DESCRIPTION_MAX = 1024 * 1024, DEADLINE_MS = 120000 };

typedef struct options {
    const char *socket, *storage;
    const char *device;
} options;

#define AT(member) .at = offsetof(options, member)

static const cli_option mount_options[] = {
    {.name = "socket",
     .value = "ADDRESS",
     AT(socket),
     .help = "The hub (default unix:///run/confidential-containers/cdh.sock)"},
    {.name = "storage-path",
     .letter = 's',
     .value = "FILE",
     AT(storage),
     .required = true,
     .help = "JSON: volume_type, options, flags, mount_point; \"-\" = standard input"},
    {0}};
static const cli_command mount_command = {
    .name = "secure-mount",
    .summary = "Have the data hub open an encrypted disk and mount it",
    .more = "  {\"volume_type\": \"block-device\", \"mount_point\": \"/mnt\", \"options\": {\n"
            "    \"devicePath\": \"/dev/vdb\", \"sourceType\": \"encrypted\",\n"
            "    \"encryptionType\": \"luks2\", \"targetType\": \"fileSystem\",\n"
            "    \"key\": \"kbs:///default/disk/1\"}}",
    .options = mount_options};

static const cli_argument header_arguments[] = {
    {.name = "DEVICE", AT(device), .required = true, .help = "Block device or image"}, {0}};
static const cli_command header_command = {
    .name = "luks2-header",
    .summary = "Check the LUKS2 header of a disk as the data hub will, and print its digest",
    .more =
        "The digest is for the option headerDigest of secure-mount: run this where the disk was "
        "made.",
    .arguments = header_arguments};

/* ---- the request ----------------------------------------------------------------------------- */

static void put_option(vs_buf *out, vs_span key, vs_span value)
{
    vs_pb_put_head(out, 2, vs_pb_size_bytes(1, key.n) + vs_pb_size_bytes(2, value.n));
    vs_pb_put_bytes(out, 1, key);
    vs_pb_put_bytes(out, 2, value);
}

static vs_code encode(vs_val doc, vs_buf *out, vs_error *err)
{
    vs_val type, given, mount_point;
    VS_TRY(vs_need(doc, "volume_type", VS_STRING, &type, err));
    VS_TRY(vs_need(doc, "options", VS_OBJECT, &given, err));
    VS_TRY(vs_need(doc, "mount_point", VS_STRING, &mount_point, err));
    vs_pb_put_bytes(out, 1, vs_text(type));
    for (VS_OBJ_FOR (m, given)) {
        if (m->val.kind != VS_STRING)
            return vs_fail(err, VS_E_INVALID, "option \"%.*s\" must be a string",
                           VS_FMT(vs_text(m->key)));
        put_option(out, vs_text(m->key), vs_text(m->val));
    }
    vs_pb_put_bytes(out, 4, vs_text(mount_point));
    return vs_buf_check(out, err);
}

static vs_code ask(const options *o, vs_span request, vs_error *err)
{
    VS_CLEANUP(vs_ttrpc_client_free) vs_ttrpc_client *hub = NULL;
    VS_CLEANUP(vs_buf_free) vs_buf nothing = VS_BUF(64);
    const vs_ttrpc_client_config cfg = {
        .address = o->socket ? o->socket : "unix:///run/confidential-containers/cdh.sock",
        .call_ms = DEADLINE_MS};
    VS_TRY(vs_ttrpc_client_new(&cfg, &hub, err));
    return guest_ask(hub, CDH_RPC_SECURE_MOUNT, request, &nothing, err);
}

static vs_code mount_it(const options *o, vs_error *err)
{
    VS_CLEANUP(vs_arena_free) vs_arena a;
    VS_CLEANUP(vs_buf_free)
    vs_buf text = VS_BUF(DESCRIPTION_MAX), request = VS_BUF(DESCRIPTION_MAX);
    vs_val doc;
    vs_arena_init(&a, 0);
    VS_TRY(vs_read_file(o->storage, &text, err));
    VS_TRY_WRAP(vs_json_parse(&a, vs_buf_span(&text), NULL, &doc, err), err, "%s", o->storage);
    VS_TRY_WRAP(encode(doc, &request, err), err, "%s", o->storage);
    return ask(o, vs_buf_span(&request), err);
}

int guest_secure_mount(int argc, char **argv)
{
    options o = {0};
    vs_error err = {0};
    int exit_code;
    if (!cli_parse(&mount_command, argc, argv, &o, stdout, stderr, &exit_code))
        return exit_code;
    if (mount_it(&o, &err) != VS_OK)
        return guest_failed(mount_command.name, &err);
    puts("mount succeeded!");
    return EXIT_SUCCESS;
}

/* ---- the header of a disk -------------------------------------------------------------------- */

static void print_header(const luks2_header *h, const uint8_t digest[LUKS2_DIGEST])
{
    printf("uuid    %s\ncipher  %s, %d-bit key, sectors of %u bytes\n", h->uuid, LUKS2_CIPHER,
           LUKS2_KEY * 8, h->sector_size);
    printf("data    from %llu, %llu bytes%s\n", (unsigned long long)h->data_offset,
           (unsigned long long)h->data_size, h->is_dynamic ? " (to the end)" : "");
    for (uint32_t i = 0; i < h->n_keyslots; i++)
        printf("keyslot %u: PBKDF2 with SHA-256, %u iterations\n", h->keyslots[i].id,
               h->keyslots[i].iterations);
    fputs("digest  ", stdout);
    for (size_t i = 0; i < LUKS2_DIGEST; i++)
        printf("%02x", digest[i]);
    putchar('\n');
}

static vs_code show_header(const char *path, vs_error *err)
{
    uint8_t digest[LUKS2_DIGEST];
    luks2_header h;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    off_t size = fd < 0 ? -1 : lseek(fd, 0, SEEK_END); /* of files and of block devices */
    vs_code code = size < 0 ? vs_fail_errno(err, VS_E_IO, errno, "opening %s", path)
                            : luks2_read(fd, (uint64_t)size, &h, err);
    if (fd >= 0)
        (void)close(fd);
    VS_TRY_WRAP(code, err, "%s", path);
    VS_TRY(luks2_header_digest(&h, digest, err));
    print_header(&h, digest);
    return VS_OK;
}

int guest_luks2_header(int argc, char **argv)
{
    options o = {0};
    vs_error err = {0};
    int exit_code;
    if (!cli_parse(&header_command, argc, argv, &o, stdout, stderr, &exit_code))
        return exit_code;
    return show_header(o.device, &err) == VS_OK ? EXIT_SUCCESS
                                                : guest_failed(header_command.name, &err);
}
