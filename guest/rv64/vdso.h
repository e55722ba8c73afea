/* The guest's vdso: an ELF image laid out by the C compiler.
 *
 * Owns: the list of its functions (names and version as Linux's riscv vdso has them; each performs
 * the system call of that number) and the layout of the image.
 *
 * Threading: immutable data.
 */
#ifndef DRAGOMAN_GUEST_RV64_VDSO_H
#define DRAGOMAN_GUEST_RV64_VDSO_H

#include <elf.h>
#include <stddef.h>
#include <stdint.h>

#define RV64_VDSO_FUNCTIONS(F) \
    F(rt_sigreturn, 139)       \
    F(clock_gettime, 113)      \
    F(clock_getres, 114)       \
    F(getcpu, 168)             \
    F(gettimeofday, 169)       \
    F(riscv_hwprobe, 258)      \
    F(flush_icache, 259)

#define RV64_VDSO_SONAME "linux-vdso.so.1"
#define RV64_VDSO_VERSION "LINUX_4.15"

enum {
#define F(name, nr) RV64_VDSO_SYM_##name,
    RV64_VDSO_FUNCTIONS(F)
#undef F
        RV64_VDSO_NFUNCTIONS,
    RV64_VDSO_NSYMS = RV64_VDSO_NFUNCTIONS + 1,
};

struct rv64_vdso {
    Elf64_Ehdr ehdr;
    Elf64_Phdr phdr[2];
    Elf64_Dyn dyn[10];
    Elf64_Sym sym[RV64_VDSO_NSYMS];
    uint32_t hash[2 + 1 + RV64_VDSO_NSYMS]; /* one bucket: every symbol is in its chain */
    struct {
        Elf64_Verdef def;
        Elf64_Verdaux aux;
    } verdef[2];
    uint16_t versym[RV64_VDSO_NSYMS];
    struct {
        char empty[1];
        char soname[sizeof RV64_VDSO_SONAME];
        char version[sizeof RV64_VDSO_VERSION];
#define F(name, nr) char name[sizeof "__vdso_" #name];
        RV64_VDSO_FUNCTIONS(F)
#undef F
    } str;
    struct {
#define F(name, nr) _Alignas(16) uint32_t name[3];
        RV64_VDSO_FUNCTIONS(F)
#undef F
    } text;
};

extern const struct rv64_vdso rv64_vdso;

#endif
