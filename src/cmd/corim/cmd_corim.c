/* SPDX-License-Identifier: Apache-2.0 */
/* `vouchsafe corim`: endorsements as CoRIM, made, signed, checked, shown and sent. */
#include "cmd/commands.h"
#include "cmd/corim/corim_tool.h"

static const cli_argument one_file[] = {{.name = "CORIM",
                                         .required = true,
                                         CORIM_AT(file),
                                         .help = "File with a CoRIM, plain or signed; - is "
                                                 "standard input"},
                                        {0}};

static const char create_more[] =
    "  The templates are those of Veraison's cocli. For the reference values of a platform:\n\n"
    "    vouchsafe corim create -t corim.json -m platform.json -m keys.json -o platform.cbor\n"
    "    vouchsafe corim sign -k signer.pem --chain signer-chain.pem --name ACME \\\n"
    "        -o platform.cose platform.cbor\n"
    "    vouchsafe corim submit --admin-token-file token platform.cose\n\n"
    "  What a profile does not allow is refused here already. The same templates give the same\n"
    "  bytes, always.\n";

static const char sign_more[] =
    "  COSE_Sign1 with the algorithm of the key: ES256, ES384, ES512, RS256 or EdDSA. A verifier\n"
    "  trusts it for its certificate chain (--chain) or because it knows the key.\n";

static const char verify_more[] =
    "  Exit status 0 only when the signature is by somebody of --trust, signature and manifest "
    "are\n"
    "  valid at the time, and the rules of the profile hold. An unsigned CoRIM does not verify.\n";

static const cli_command commands[] = {{.name = "create",
                                        .summary = "Makes a CoRIM from JSON templates",
                                        .options = corim_create_options,
                                        .more = create_more,
                                        .run = corim_create},
                                       {.name = "sign",
                                        .summary = "Signs a CoRIM",
                                        .options = corim_sign_options,
                                        .arguments = one_file,
                                        .more = sign_more,
                                        .run = corim_sign},
                                       {.name = "verify",
                                        .summary = "Checks who signed a CoRIM, and its rules",
                                        .options = corim_verify_options,
                                        .arguments = one_file,
                                        .more = verify_more,
                                        .run = corim_verify},
                                       {.name = "show",
                                        .summary = "Shows a CoRIM: a tree, or JSON in a pipe",
                                        .options = corim_show_options,
                                        .arguments = one_file,
                                        .run = corim_show},
                                       {.name = "submit",
                                        .summary = "Sends a CoRIM to a KBS or to Veraison",
                                        .options = corim_submit_options,
                                        .arguments = one_file,
                                        .more = corim_submit_more,
                                        .run = corim_submit},
                                       {0}};

static const cli_command top = {.name = "vouchsafe corim",
                                .summary = "Endorsements as CoRIM: make, sign, check, show, send",
                                .commands = commands,
                                .version = "vouchsafe " VS_VERSION};

int cmd_corim(int argc, char **argv)
{
    corim_options o = {0};
    return cli_main(&top, argc, argv, &o);
}
