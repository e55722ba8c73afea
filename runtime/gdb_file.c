/* Files for the debugger (vFile packets, GDB manual, "Host I/O Packets"), by the names that the guest has for them: so
 * that gdb finds the program and its libraries below the sysroot without being told.
 *
 * Only reading is served. Descriptors of the protocol are places in a table of our own; the host's are opened
 * for one request alone, so that the guest never meets one.
 *
 * Threading: the server's host thread.
 */
#include "runtime/gdb_internal.h"
#include "syscall/sys.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_FILES 32
static char *files[MAX_FILES]; /* host names */

/* The protocol's error numbers are few, and Linux's where they have the same name. */
static size_t fail(char *reply, size_t size, int error)
{
    if (error != ENOENT && error != EACCES && error != EBADF && error != EINVAL && error != EMFILE)
        error = 9999; /* FILEIO_EUNKNOWN */
    return (size_t)snprintf(reply, size, "F-1,%x", error);
}

static size_t open_file(const char *args, char *reply, size_t size)
{
    char name[PATH_MAX] = "", host[PATH_MAX];
    size_t n = gdb_hex_decode(name, args, sizeof(name) - 1);
    name[n] = 0;
    const char *flags = strchr(args, ',');
    if (flags && strtoul(flags + 1, NULL, 16) & 3)
        return fail(reply, size, EACCES);
    const char *path = sys_host_path(host, name);
    struct stat st;
    if (stat(path, &st) != 0 || access(path, R_OK) != 0)
        return fail(reply, size, errno);
    for (int i = 0; i < MAX_FILES; i++) {
        if (files[i])
            continue;
        files[i] = strdup(path);
        return files[i] ? (size_t)snprintf(reply, size, "F%x", i) : fail(reply, size, EMFILE);
    }
    return fail(reply, size, EMFILE);
}

static const char *file_of(const char *args, char **rest)
{
    unsigned long i = strtoul(args, rest, 16);
    return i < MAX_FILES ? files[i] : NULL;
}

static size_t with_data(char *reply, size_t size, const void *data, size_t n)
{
    char head[16];
    size_t used, len = 16;
    len += gdb_escape(reply + len, size - len, data, n, &used);
    int h = snprintf(head, sizeof(head), "F%zx;", used);
    memmove(reply + h, reply + 16, len - 16);
    memcpy(reply, head, (size_t)h);
    return len - 16 + (size_t)h;
}

static size_t read_file(const char *args, char *reply, size_t size)
{
    char *rest;
    const char *name = file_of(args, &rest);
    unsigned long n = *rest == ',' ? strtoul(rest + 1, &rest, 16) : 0;
    unsigned long offset = *rest == ',' ? strtoul(rest + 1, &rest, 16) : 0;
    static char buf[8192];
    int fd = name ? open(name, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0)
        return fail(reply, size, name ? errno : EBADF);
    ssize_t got = pread(fd, buf, n < sizeof(buf) ? n : sizeof(buf), (off_t)offset);
    int error = errno;
    close(fd);
    return got < 0 ? fail(reply, size, error) : with_data(reply, size, buf, (size_t)got);
}

/* struct stat of the protocol: big-endian fields, 64 bytes (GDB manual, "struct stat"). */
static size_t stat_file(const char *args, char *reply, size_t size)
{
    char *rest;
    const char *name = file_of(args, &rest);
    struct stat st;
    if (!name || stat(name, &st) != 0)
        return fail(reply, size, name ? errno : EBADF);
    unsigned char out[64] = {0};
    const struct {
        unsigned at, bytes;
        uint64_t v;
    } fields[] = {
        {0, 4, st.st_dev},
        {4, 4, st.st_ino},
        {8, 4, st.st_mode},
        {12, 4, st.st_nlink},
        {16, 4, st.st_uid},
        {20, 4, st.st_gid},
        {24, 4, st.st_rdev},
        {28, 8, (uint64_t)st.st_size},
        {36, 8, 4096},
        {44, 8, (uint64_t)st.st_blocks},
        {52, 4, (uint64_t)st.st_atime},
        {56, 4, (uint64_t)st.st_mtime},
        {60, 4, (uint64_t)st.st_ctime},
    };
    for (unsigned i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
        for (unsigned b = 0; b < fields[i].bytes; b++)
            out[fields[i].at + b] = (unsigned char)(fields[i].v >> 8 * (fields[i].bytes - 1 - b));
    }
    return with_data(reply, size, out, sizeof(out));
}

static size_t read_link(const char *args, char *reply, size_t size)
{
    char name[PATH_MAX] = "", host[PATH_MAX], target[PATH_MAX];
    size_t n = gdb_hex_decode(name, args, sizeof(name) - 1);
    name[n] = 0;
    ssize_t got = readlink(sys_host_path(host, name), target, sizeof(target));
    return got < 0 ? fail(reply, size, errno) : with_data(reply, size, target, (size_t)got);
}

static size_t close_file(const char *args, char *reply, size_t size)
{
    char *rest;
    unsigned long i = strtoul(args, &rest, 16);
    if (i >= MAX_FILES || !files[i])
        return fail(reply, size, EBADF);
    free(files[i]);
    files[i] = NULL;
    return (size_t)snprintf(reply, size, "F0");
}

size_t gdb_file(const char *packet, size_t len, char *reply, size_t size)
{
    static const struct {
        const char *name;
        size_t (*fn)(const char *args, char *reply, size_t size);
    } calls[] = {
        {"open:", open_file},   {"pread:", read_file},    {"fstat:", stat_file},
        {"close:", close_file}, {"readlink:", read_link},
    };
    (void)len; /* the text ends with a NUL, and no request that is served has binary data */
    if (strncmp(packet, "setfs:", 6) == 0)
        return (size_t)snprintf(reply, size, "F0"); /* all processes have one file system here */
    for (unsigned i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
        size_t n = strlen(calls[i].name);
        if (strncmp(packet, calls[i].name, n) == 0)
            return calls[i].fn(packet + n, reply, size);
    }
    return 0;
}

void gdb_file_close_all(void)
{
    for (int i = 0; i < MAX_FILES; i++) {
        free(files[i]);
        files[i] = NULL;
    }
}
