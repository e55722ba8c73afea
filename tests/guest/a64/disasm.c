/* For objdump.tap: the disassembler's text, and words for objdump to read.
 *
 *   disasm                  reads "ADDRESS WORD" lines in hexadecimal, prints the text of each
 *   disasm random SEED N    N random words of each row, as .inst lines for the assembler
 */
#include "guest/a64/a64.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t rng;

static uint32_t random32(void)
{
    rng = rng * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(rng >> 32) ^ (uint32_t)(rng >> 13);
}

/* Every fourth word has one of its register fields all ones, which several instructions print otherwise. */
static uint32_t random_of_row(const struct a64_row *row)
{
    uint32_t w = random32();
    switch (random32() & 15) {
    case 0:
        w |= 31;
        break;
    case 1:
        w |= 31 << 5;
        break;
    case 2:
        w |= 31 << 16;
        break;
    case 3:
        w &= ~(0x3fu << 10);
        break;
    }
    return (w & ~row->mask) | row->match;
}

int main(int argc, char **argv)
{
    if (argc == 4 && !strcmp(argv[1], "random")) {
        rng = strtoull(argv[2], NULL, 0);
        for (unsigned row = 1; row < A64_NROWS; row++)
            for (long i = atol(argv[3]); i > 0; i--)
                printf(".inst 0x%08x\n", random_of_row(&a64_rows[row]));
        return 0;
    }
    unsigned long long pc;
    unsigned w;
    while (scanf("%llx %x", &pc, &w) == 2) {
        uint8_t code[4] = {w, w >> 8, w >> 16, w >> 24};
        char text[192];
        a64_disasm(text, sizeof text, code, 4, pc);
        puts(text);
    }
    return 0;
}
