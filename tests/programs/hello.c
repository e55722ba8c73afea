/* The least that a guest program does: says its arguments, and exits with their number. */
#include <stdio.h>

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        puts(argv[i]);
    return argc - 1;
}
