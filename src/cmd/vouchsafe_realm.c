/* SPDX-License-Identifier: Apache-2.0 */
/* The executable of `vouchsafe realm`: a test device, kept out of the server programs. */
#include "cmd/commands.h"

int main(int argc, char **argv)
{
    return cmd_realm(argc, argv);
}
