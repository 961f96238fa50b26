/* SPDX-License-Identifier: Apache-2.0 */
/* A program that asks a policy. Build: cc embed.c $(pkg-config --cflags --libs rego) -o embed */
#include <rego/rego.h>
#include <stdio.h>
#include <string.h>

static bool is_allowed(rego_context *ctx, const char *input, rego_failure *why)
{
    static const char data[] = "{\"administrators\": [\"root\"]}";
    const rego_value *allow;
    return rego_set_data(ctx, data, strlen(data), why) == REGO_DONE &&
           rego_set_input(ctx, input, strlen(input), why) == REGO_DONE &&
           rego_evaluate(ctx, "data.policy.allow", &allow, why) == REGO_DONE &&
           rego_boolean(allow); /* false for everything but true */
}

int main(int argc, char **argv)
{
    static char text[65536];
    FILE *f = argc == 3 ? fopen(argv[1], "r") : NULL;
    if (!f)
        return fprintf(stderr, "usage: embed POLICY.rego INPUT\n"), 2;
    rego_source source = {.name = argv[1], .text = text, .size = fread(text, 1, sizeof text, f)};
    fclose(f);

    rego_policy *policy;
    rego_failure why = {0};
    bool allowed = false;
    if (rego_policy_new(&source, 1, NULL, &policy, &why) == REGO_DONE) {
        rego_context *ctx = rego_context_new(policy);
        allowed = ctx && is_allowed(ctx, argv[2], &why);
        rego_context_free(ctx);
    }
    rego_policy_free(policy);
    if (why.message[0])
        return fprintf(stderr, "%s:%u: %s: %s\n%s", why.file, why.row, why.code, why.message,
                       why.excerpt),
               2;
    puts(allowed ? "allowed" : "denied");
    return allowed ? 0 : 1;
}
