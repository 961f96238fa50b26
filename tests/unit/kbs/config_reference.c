/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prints docs/configuration.md from the tables that the configuration readers use; with the file as
 * argument, compares (exit 1 when it is stale: `config-reference > docs/configuration.md`).
 */
#include <stdio.h>
#include <string.h>

#include "base/io.h"
#include "cmd/config_as.h"
#include "cmd/config_rvps.h"
#include "kbs/config_keys.h"

static const char head[] =
    "# Configuration reference\n\n"
    "<!-- Printed by config-reference from the table the reader uses; a test compares. -->\n\n"
    "`kbs -c FILE` and `vouchsafe serve -c FILE` read Trustee's KBS configuration, TOML, JSON or "
    "YAML by "
    "extension, in today's\n"
    "dialect and that of December 2025. An unknown key is an error with a suggestion; a key of a "
    "part this build lacks is an\n"
    "error that says so; an obsolete key is a warning that names the new one. Command-line options "
    "win over the file\n"
    "(`vouchsafe serve --help`). `[a.b]` below stands for a table, `[[a]]` for an array of "
    "tables.\n\n"
    "Where the same file means something else than to Trustee:\n\n"
    "- An unknown key is an error (Trustee passes over it, but in `[admin]`), and so is one that "
    "would have no effect: the address of a\n"
    "  verifier of another type, what makes a verifier strict that is another process.\n"
    "- Intel Trust Authority, Redis and the key services of clouds are refused; so is a storage "
    "type without its table, as there.\n"
    "- Without `[storage_backend]` the store is an SQLite file (Trustee: memory, lost at the end), "
    "in which the tokens' signing key is kept,\n"
    "  too (Trustee: a new one at each start).\n"
    "- The older dialect has its resource policy in a file, and its store beside it "
    "([operations](operations.md#trustees-data)).\n"
    "- The `sample` TEE is refused unless `sample_tee` is set.\n"
    "- Tokens of the built-in attestation service are believed without `[attestation_token]` "
    "(Trustee does not start).\n"
    "- `/metrics` is 404 on the API's port unless `operations.metrics_on_api` is set, and shows "
    "digests of resource paths unless\n"
    "  `operations.metrics_resource_paths` is; `[operations]` has a port for it. A start without "
    "that table says so.\n"
    "- `allowed_endpoints` is matched with the decoded path without the query (Trustee: as it was "
    "sent, with it), each alternative must be\n"
    "  anchored, and a path with an encoded slash, an empty segment, `.` or `..` is allowed to "
    "nobody; ids of reference values may start with\n"
    "  `rvps:///` and have their slashes encoded.\n"
    "- `plugins.verify_ssl` is true (Trustee: false).\n"
    "- Versions of the protocol from 0.1.1 on are served (Trustee: 0.4.0 only); see "
    "`oldest_protocol`.\n"
    "- No service of a manufacturer is asked while evidence is verified: collateral comes from "
    "files (`verifier_config`).\n\n";

static const char as_head[] =
    "\n## The attestation service's file\n\n"
    "`grpc-as -c FILE` and `restful-as -c FILE` read Trustee's JSON (or TOML, YAML by extension); "
    "without a file the defaults\n"
    "count. Trustee passes over keys that it does not know; here they are errors. `--data-dir DIR` "
    "wins over the storage section.\n"
    "Without one the store is an SQLite file (Trustee: memory, so that policies are lost at each "
    "start).\n\n";

static const char rvps_head[] =
    "\n## The reference value provider's file\n\n"
    "`rvps -c FILE`, by default `/etc/rvps.json` if there is one; JSON, TOML or YAML by extension. "
    "A file that cannot be read\n"
    "or is wrong stops the start (Trustee goes on in memory, and loses all values at its end). "
    "Without a storage section the\n"
    "store is an SQLite file.\n\n"
    "The older form `{\"storage\": {\"type\": \"LocalFs\", \"file_path\": ...}}`, which "
    "Trustee of today takes for memory, keeps values\n"
    "in that directory, one file per value; `LocalJson` keeps them in the directory of its file. "
    "What an older version left there\n"
    "is in a database of its own and is not read: register it again.\n\n";

static const char tail[] =
    "\n## The CCA verifier's file\n\n"
    "Named by `CCA_CONFIG_FILE` or `--cca-config`, in Trustee's format; read again when it or the "
    "stores change:\n\n"
    "| key under `cca-verifier` | meaning |\n|---|---|\n"
    "| `type` | `local`, or `remote`: a Veraison service verifies; has `address` and `ca-cert` "
    "(cca-reference.md) |\n"
    "| `ta-store` | path: trust anchors, a list of {`pkey` JWK, `implementation-id` hex, "
    "`instance-id` hex}; may be missing |\n"
    "| `rv-store` | path: reference values, {`platform`: [...], `realm`: [...]}; may be missing |\n"
    "| `accept-lifecycle` | list of further platform lifecycle states to accept; by default only "
    "`secured` |\n"
    "| `platform-mismatch` | `fail` (default): a platform that is not endorsed fails the request; "
    "`policy`: policy decides |\n"
    "| `rvps-endorsements` | `false`: endorsements in the reference value provider do not count; "
    "default `true` |\n\n"
    "Without the file, the CCA platforms are those that the reference value provider endorses "
    "(cca-reference.md).\n\n"
    "## Environment\n\n"
    "| variable | meaning |\n|---|---|\n"
    "| `KBS_CONFIG_FILE` | configuration file when `-c` is not given; `kbs` needs one of the two "
    "|\n"
    "| `CCA_CONFIG_FILE` | the CCA verifier's file: kbs, grpc-as, restful-as, vouchsafe serve |\n"
    "| `POSTGRES_URL` | with storage type Postgres: `postgresql://user:password@host:port/db`; "
    "wins "
    "over the file |\n"
    "| `RUST_LOG` | `error`, `warn`, `info` (default) or `debug`; of a list `target=level,level` "
    "the "
    "level without a target, or else the most verbose one |\n"
    "| `VOUCHSAFE_TSM_PATH` | kbs-client: directory or socket of the attestation device |\n"
    "| `KBS_CLIENT_ALLOW_SAMPLE` | kbs-client: `1` allows the sample attester |\n"
    "| `NO_COLOR` | no colour on terminals |\n";

static void put_type(vs_buf *b, const config_key *k)
{
    static const char *const name[] = {"table",  "tables",       "text", "true/false",
                                       "number", "list of text", "",     "anything"};
    if (k->type != CONFIG_CHOICE) {
        vs_buf_puts(b, name[k->type]);
        return;
    }
    for (const config_choice *c = k->choices; c->name; c++)
        vs_buf_printf(b, "%s`%s`%s", c == k->choices ? "" : ", ", c->name,
                      c->lacks ? " (refused)" : "");
}

static void put_key(vs_buf *b, const config_key *k)
{
    bool table = k->type == CONFIG_TABLE || k->type == CONFIG_TABLES;
    vs_buf_printf(b, "| `%s%s%s` | ",
                  k->type == CONFIG_TABLES ? "[["
                  : table                  ? "["
                                           : "",
                  k->path,
                  k->type == CONFIG_TABLES ? "]]"
                  : table                  ? "]"
                                           : "");
    put_type(b, k);
    vs_buf_printf(b, " | %s%s%s | ", k->fallback ? "`" : "", k->fallback ? k->fallback : "",
                  k->fallback ? "`" : "");
    if (k->status == CONFIG_OLD)
        vs_buf_printf(b, "older name of `%s`%s%s", k->hint, k->meaning[0] ? ": " : "", k->meaning);
    else if (k->status == CONFIG_UNUSED)
        vs_buf_printf(b, "accepted without effect: %s", k->hint);
    else
        vs_buf_puts(b, k->meaning ? k->meaning : "");
    vs_buf_puts(b, " |\n");
}

static void put_table(vs_buf *page, const char *intro, const config_table *t)
{
    vs_buf_puts(page, intro);
    vs_buf_puts(page, "| key | type | default | meaning |\n|---|---|---|---|\n");
    for (size_t i = 0; i < t->n; i++)
        put_key(page, &t->keys[i]);
}

int main(int argc, char **argv)
{
    VS_CLEANUP(vs_buf_free) vs_buf page = VS_BUF(1 << 20), file = VS_BUF(1 << 20);
    size_t n;
    const config_key *keys = config_keys(&n);
    put_table(&page, head, &(config_table){keys, n});
    put_table(&page, as_head, &as_file_table);
    put_table(&page, rvps_head, &rvps_file_table);
    vs_buf_puts(&page, tail);
    if (argc < 2)
        return fwrite(page.p, 1, page.n, stdout) != page.n;
    if (vs_read_file(argv[1], &file, NULL) == VS_OK &&
        vs_span_eq(vs_buf_span(&file), vs_buf_span(&page)))
        return 0;
    (void)fprintf(stderr,
                  "%s is not what the table of keys says: print it anew with config-reference\n",
                  argv[1]);
    return 1;
}
