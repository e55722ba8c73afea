/* Reads instruction words in hexadecimal, one a line, and prints each one's mnemonic, .inst for what is not decoded. */
#include "guest/a64/a64.h"
#include <stdio.h>
#include <string.h>

int main(void)
{
    unsigned w;
    while (scanf("%x", &w) == 1) {
        uint8_t code[4] = {w, w >> 8, w >> 16, w >> 24};
        char text[64];
        a64_disasm(text, sizeof text, code, 4, 0);
        text[strcspn(text, "\t")] = 0;
        puts(text);
    }
    return 0;
}
