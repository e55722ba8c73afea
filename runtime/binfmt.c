/* Rules for binfmt_misc, and reading them; see binfmt.h. */
#include "runtime/binfmt.h"
#include <ctype.h>
#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* An ELF file of 64 bits, little-endian, for the guest's machine: a program (ET_EXEC), or one that is
 * position-independent (ET_DYN, which differs in one bit). Who made the ABI (EI_OSABI) does not matter. */
static void fill(const struct guest *g, uint8_t *magic, uint8_t *mask)
{
    memset(magic, 0, BINFMT_BYTES);
    memcpy(magic, ELFMAG, SELFMAG);
    magic[EI_CLASS] = ELFCLASS64;
    magic[EI_DATA] = ELFDATA2LSB;
    magic[EI_VERSION] = EV_CURRENT;
    magic[EI_NIDENT] = ET_EXEC;
    magic[EI_NIDENT + 2] = (uint8_t)g->elf_machine;
    magic[EI_NIDENT + 3] = (uint8_t)(g->elf_machine >> 8);
    memset(mask, 0xff, BINFMT_BYTES);
    mask[EI_OSABI] = 0;
    mask[EI_NIDENT] = (uint8_t) ~(ET_EXEC ^ ET_DYN);
}

static char *hex(char *to, const uint8_t *bytes)
{
    for (int i = 0; i < BINFMT_BYTES; i++)
        to += sprintf(to, "\\x%02x", bytes[i]);
    return to;
}

void binfmt_name(const struct guest *g, char *name, size_t size)
{
    snprintf(name, size, "dragoman-%s", g->uname_machine);
}

void binfmt_rule(const struct guest *g, const char *handler, char *text, size_t size)
{
    uint8_t magic[BINFMT_BYTES], mask[BINFMT_BYTES];
    char magic_text[4 * BINFMT_BYTES + 1], mask_text[4 * BINFMT_BYTES + 1], name[64];
    fill(g, magic, mask);
    hex(magic_text, magic);
    hex(mask_text, mask);
    binfmt_name(g, name, sizeof(name));
    snprintf(text, size, ":%s:M::%s:%s:%s:" BINFMT_FLAGS, name, magic_text, mask_text, handler);
}

void binfmt_debian_file(const struct guest *g, const char *handler, FILE *f)
{
    uint8_t magic[BINFMT_BYTES], mask[BINFMT_BYTES];
    char text[4 * BINFMT_BYTES + 1];
    fill(g, magic, mask);
    hex(text, magic);
    fprintf(f, "package dragoman\ninterpreter %s\nmagic %s\n", handler, text);
    hex(text, mask);
    fprintf(f, "mask %s\noffset 0\ncredentials yes\npreserve yes\nfix_binary yes\n", text);
}

/* Bytes written as hexadecimal digits; their number, or -1. */
static int parse_digits(const char *text, uint8_t *bytes, size_t room)
{
    size_t n = 0;
    for (; isxdigit((unsigned char)text[0]) && isxdigit((unsigned char)text[1]); text += 2) {
        char two[3] = {text[0], text[1], 0};
        if (n == room)
            return -1;
        bytes[n++] = (uint8_t)strtoul(two, NULL, 16);
    }
    return *text && *text != '\n' ? -1 : (int)n;
}

/* Bytes as they are, or as \xHH. */
static int parse_escaped(const char *text, size_t len, uint8_t *bytes, size_t room)
{
    size_t n = 0;
    for (size_t i = 0; i < len; n++) {
        if (n == room)
            return -1;
        if (text[i] == '\\' && i + 3 < len && text[i + 1] == 'x') {
            char two[3] = {text[i + 2], text[i + 3], 0};
            bytes[n] = (uint8_t)strtoul(two, NULL, 16);
            i += 4;
        } else {
            bytes[n] = (uint8_t)text[i++];
        }
    }
    return (int)n;
}

static void copy_field(char *to, size_t room, const char *from, size_t len)
{
    snprintf(to, room, "%.*s", (int)len, from);
}

bool binfmt_parse_rule(const char *line, struct binfmt_entry *e)
{
    const char *field[8];
    size_t len[8];
    char delimiter = *line;
    if (!delimiter || isspace((unsigned char)delimiter) || delimiter == '#' || delimiter == ';')
        return false;
    line++;
    for (int i = 0; i < 7; i++) {
        char stop[3] = {delimiter, '\n', 0};
        field[i] = line;
        len[i] = strcspn(line, stop);
        line += len[i];
        if (*line == delimiter)
            line++;
        else if (i < 5)
            return false;
    }
    if (len[1] != 1 || *field[1] != 'M')
        return false;
    memset(e, 0, sizeof(*e));
    copy_field(e->name, sizeof(e->name), field[0], len[0]);
    e->offset = (unsigned)strtoul(field[2], NULL, 10);
    int size = parse_escaped(field[3], len[3], e->magic, sizeof(e->magic));
    memset(e->mask, 0xff, sizeof(e->mask));
    if (size <= 0 || (len[4] && parse_escaped(field[4], len[4], e->mask, sizeof(e->mask)) != size))
        return false;
    e->size = (unsigned)size;
    copy_field(e->interpreter, sizeof(e->interpreter), field[5], len[5]);
    copy_field(e->flags, sizeof(e->flags), field[6], len[6]);
    e->enabled = true;
    return true;
}

int binfmt_read(const char *directory, const char *name, struct binfmt_entry *e)
{
    char path[PATH_MAX], line[PATH_MAX + 32];
    int mask = 0, magic = 0;
    snprintf(path, sizeof(path), "%s/%s", directory, name);
    FILE *f = fopen(path, "re");
    if (!f)
        return -errno;
    memset(e, 0, sizeof(*e));
    copy_field(e->name, sizeof(e->name), name, strlen(name));
    memset(e->mask, 0xff, sizeof(e->mask));
    while (fgets(line, sizeof(line), f)) {
        char *value = strchr(line, ' ');
        line[strcspn(line, "\n")] = 0;
        if (!value) {
            e->enabled = strcmp(line, "enabled") == 0 || e->enabled;
            continue;
        }
        *value++ = 0;
        if (strcmp(line, "interpreter") == 0)
            copy_field(e->interpreter, sizeof(e->interpreter), value, strlen(value));
        else if (strcmp(line, "flags:") == 0)
            copy_field(e->flags, sizeof(e->flags), value, strlen(value));
        else if (strcmp(line, "offset") == 0)
            e->offset = (unsigned)strtoul(value, NULL, 10);
        else if (strcmp(line, "magic") == 0)
            magic = parse_digits(value, e->magic, sizeof(e->magic));
        else if (strcmp(line, "mask") == 0)
            mask = parse_digits(value, e->mask, sizeof(e->mask));
    }
    fclose(f);
    if (magic <= 0 || (mask && mask != magic))
        return -EINVAL;
    e->size = (unsigned)magic;
    return 0;
}

bool binfmt_matches(const struct binfmt_entry *e, const struct guest *g)
{
    uint8_t header[128 + BINFMT_BYTES] = {0}, mask[BINFMT_BYTES];
    fill(g, header, mask);
    if (e->offset + e->size > sizeof(header))
        return false;
    for (int type = ET_EXEC; type <= ET_DYN; type++) {
        unsigned i = 0;
        header[EI_NIDENT] = (uint8_t)type;
        while (i < e->size && !((header[e->offset + i] ^ e->magic[i]) & e->mask[i]))
            i++;
        if (i == e->size)
            return true;
    }
    return false;
}
