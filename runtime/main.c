/* runtime/main.c: the program's entry. Owns nothing yet: it reports its version. */
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
    if (argc == 2 && (!strcmp(argv[1], "-version") || !strcmp(argv[1], "--version"))) {
        puts(PACKAGE_NAME " " PACKAGE_VERSION);
        return 0;
    }
    fputs("dragoman: no guest can be run yet\n", stderr);
    return 126;
}
