/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A guest's program that gets a secret. Build:
 *   cc get_secret.c $(pkg-config --cflags --libs vouchsafe-client) -o get_secret
 */
#include <stdio.h>
#include <stdlib.h>
#include <vouchsafe/client.h>

static void on_warning(void *user, const char *line)
{
    (void)user;
    fprintf(stderr, "warning: %s\n", line);
}

int main(int argc, char **argv)
{
    if (argc != 3 && argc != 4)
        return fprintf(stderr, "usage: get_secret URL REPOSITORY/TYPE/TAG [CA.pem]\n"), 2;
    const vouchsafe_config config = {
        .size = sizeof config,
        .url = argv[1],
        .ca_file = argv[3],
        .oldest_protocol = getenv("OLDEST_PROTOCOL"), /* NULL = 0.2.0 */
        .deadline_ms = 30000,
        .warn = on_warning,
    };
    const vouchsafe_resource resource = {.path = argv[2]};
    vouchsafe_client *client;
    vouchsafe_secret *secret = NULL;
    vouchsafe_failure why;

    vouchsafe_result result = vouchsafe_client_new(&config, &client, &why);
    if (result == VOUCHSAFE_DONE)
        result = vouchsafe_get(client, &resource, &secret, &why);
    if (result == VOUCHSAFE_DONE) {
        size_t size;
        const unsigned char *bytes = vouchsafe_secret_bytes(secret, &size);
        fprintf(stderr, "attested as %s with protocol %s\n", vouchsafe_tee(client),
                vouchsafe_protocol(client));
        if (fwrite(bytes, 1, size, stdout) != size || fflush(stdout) != 0)
            result = VOUCHSAFE_UNREACHABLE;
    } else {
        fprintf(stderr, "get_secret: %s\n", why.message);
    }
    vouchsafe_secret_free(secret); /* and wipes it */
    vouchsafe_client_free(client);
    return result == VOUCHSAFE_DONE ? 0 : 1;
}
